// Package modules tells what a program was built of.
package modules

import "runtime/debug"

// Version returns the path of a module of this build and its version.
func Version(path string) string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, module := range info.Deps {
			if module.Path == path {
				return path + " " + module.Version
			}
		}
	}
	return path + " of an unknown version"
}
