// kz builds one folder with kustomize's own library, at the version that Flux has, in the order of the files.
//
//	kz [--no-restrictor] DIR
package main

import (
	"flag"
	"fmt"
	"os"

	"kiln-oracles/flux/modules"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

func main() {
	open := flag.Bool("no-restrictor", false, "let files lie outside of the folder")
	version := flag.Bool("version", false, "print the library's version")
	flag.Parse()
	if *version {
		fmt.Println(modules.Version("sigs.k8s.io/kustomize/api"))
		return
	}
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: kz [--no-restrictor] DIR")
		os.Exit(2)
	}
	options := krusty.MakeDefaultOptions()
	if *open {
		options.LoadRestrictions = types.LoadRestrictionsNone
	}
	built, err := krusty.MakeKustomizer(options).Run(filesys.MakeFsOnDisk(), flag.Arg(0))
	if err == nil {
		var text []byte
		if text, err = built.AsYaml(); err == nil {
			_, err = os.Stdout.Write(text)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
