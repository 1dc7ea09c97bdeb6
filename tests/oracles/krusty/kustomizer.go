// In place of kustomize's own builder in its tests: hands the files of a test to the command in KUSTOMIZE_CMD, and reads back
// what it prints. kustomize builds them as well: a command that refuses what kustomize refuses answers in kustomize's words,
// since tests look for those; one that refuses something else, or builds what kustomize refuses, fails the test.
package krusty

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"sigs.k8s.io/kustomize/api/provider"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// Kustomizer runs the command.
type Kustomizer struct{ options *Options }

// MakeKustomizer keeps the options; the command is told of the load restrictor only.
func MakeKustomizer(options *Options) *Kustomizer { return &Kustomizer{options: options} }

// Run builds a folder.
func (b *Kustomizer) Run(files filesys.FileSystem, folder string) (resmap.ResMap, error) {
	built, refused := b.command(files, folder)
	_, reason := MakeOwnKustomizer(b.options).Run(files, folder)
	if refused != nil && reason != nil {
		return nil, reason
	}
	if reason != nil {
		// Without the reason, in which the test might find what it looks for.
		return nil, errors.New("the command builds what kustomize refuses")
	}
	return built, refused
}

func (b *Kustomizer) command(files filesys.FileSystem, folder string) (resmap.ResMap, error) {
	if !strings.Contains(strings.ToLower(fmt.Sprintf("%T", files)), "disk") {
		copied, err := os.MkdirTemp("", "krusty")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(copied)
		write(files, copied)
		folder = filepath.Join(copied, folder)
	}
	words := strings.Fields(os.Getenv("KUSTOMIZE_CMD"))
	if b.options.LoadRestrictions != types.LoadRestrictionsRootOnly {
		words = append(words, strings.Fields(os.Getenv("KUSTOMIZE_NO_RESTRICTOR"))...)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	command := exec.CommandContext(ctx, words[0], append(words[1:], folder)...)
	var printed, problem bytes.Buffer
	command.Stdout, command.Stderr = &printed, &problem
	if err := command.Run(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, problem.String())
	}
	return resmap.NewFactory(provider.NewDepProvider().GetResourceFactory()).NewResMapFromBytes(printed.Bytes())
}

// write copies files in memory to a folder on disk.
func write(files filesys.FileSystem, to string) {
	for _, root := range []string{"/", "."} {
		_ = files.Walk(root, func(path string, info os.FileInfo, err error) error {
			if err != nil || info == nil || info.IsDir() {
				return nil
			}
			text, err := files.ReadFile(path)
			if err != nil {
				return nil
			}
			target := filepath.Join(to, path)
			_ = os.MkdirAll(filepath.Dir(target), 0o755)
			return os.WriteFile(target, text, 0o644)
		})
	}
}
