// kz builds folders with kustomize's own library, at the version that Flux has, in the order of the files.
//
//	kz [--no-restrictor] DIR
//	kz --stream
//
// A stream has one JSON object a line, `files` (texts by path), `folder` and `anywhere`, and gets one a line: `yaml`, in the
// order of `kustomize build`, or why kustomize refuses in `refused`.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path"

	"kiln-oracles/flux/modules"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// asked is a tree of files, and the folder to build in it.
type asked struct {
	Files    map[string]string `json:"files"`
	Folder   string            `json:"folder"`
	Anywhere bool              `json:"anywhere"`
}

type answer struct {
	YAML    string `json:"yaml"`
	Refused string `json:"refused,omitempty"`
}

func main() {
	open := flag.Bool("no-restrictor", false, "let files lie outside of the folder")
	streamed := flag.Bool("stream", false, "build trees that come as JSON, one a line")
	version := flag.Bool("version", false, "print the library's version")
	flag.Parse()
	if *version {
		fmt.Println(modules.Version("sigs.k8s.io/kustomize/api"))
		return
	}
	var err error
	switch {
	case *streamed && flag.NArg() == 0:
		err = stream(os.Stdin, os.Stdout)
	case !*streamed && flag.NArg() == 1:
		var text []byte
		if text, err = build(filesys.MakeFsOnDisk(), flag.Arg(0), *open, krusty.ReorderOptionNone); err == nil {
			_, err = os.Stdout.Write(text)
		}
	default:
		fmt.Fprintln(os.Stderr, "usage: kz [--no-restrictor] DIR, or kz --stream")
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func build(files filesys.FileSystem, folder string, open bool, order krusty.ReorderOption) (text []byte, err error) {
	defer func() {
		if panicked := recover(); panicked != nil {
			err = fmt.Errorf("panic: %v", panicked)
		}
	}()
	options := krusty.MakeDefaultOptions()
	options.Reorder = order
	if open {
		options.LoadRestrictions = types.LoadRestrictionsNone
	}
	built, err := krusty.MakeKustomizer(options).Run(files, folder)
	if err != nil {
		return nil, err
	}
	return built.AsYaml()
}

func stream(from io.Reader, to io.Writer) error {
	lines, answers := json.NewDecoder(bufio.NewReader(from)), json.NewEncoder(to)
	for {
		var question asked
		if err := lines.Decode(&question); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		var given answer
		text, err := question.build()
		if given.YAML = string(text); err != nil {
			given.Refused = err.Error()
		}
		if err := answers.Encode(given); err != nil {
			return err
		}
	}
}

func (a asked) build() ([]byte, error) {
	files := filesys.MakeFsInMemory()
	for name, text := range a.Files {
		if err := files.WriteFile(path.Join("/", name), []byte(text)); err != nil {
			return nil, err
		}
	}
	return build(files, path.Join("/", a.Folder), a.Anywhere, krusty.ReorderOptionLegacy)
}
