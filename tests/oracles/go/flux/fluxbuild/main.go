// fluxbuild tells what Flux applies, by Flux' own packages and without a cluster.
//
//	fluxbuild [--strict=false] [--sops PROGRAM] [--output json|yaml] ROOT FILE...
//
// ROOT is the folder that the source of the first Kustomization holds; each FILE holds Kustomizations to start with, and
// objects that are in the cluster already (ConfigMaps and Secrets for substituteFrom). Kustomizations among what is built are
// followed. The tree is copied without what source-controller leaves out, and is itself never written to.
//
// JSON is one object with `objects` ({owner, object}), `notSeen` and `refused` ({owner, reason}); YAML is a stream of
// objects, each below a comment with its owner. The order is that in which Kustomizations come out, so equal trees give
// equal bytes. Exit code 0: all is built or named as not seen; 1: Flux refuses something; 2: wrong usage.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"kiln-oracles/flux/modules"

	"sigs.k8s.io/yaml"
)

func main() {
	strict := flag.Bool("strict", true, "refuse a variable that nothing gives, as Flux does since 2.9")
	sops := flag.String("sops", "", "the program that opens encrypted objects; it finds its keys in the environment")
	output := flag.String("output", "json", "json or yaml")
	version := flag.Bool("version", false, "print the version of Flux' package")
	flag.Parse()
	if *version {
		fmt.Println(modules.Version("github.com/fluxcd/pkg/kustomize"))
		return
	}
	if flag.NArg() < 2 || (*output != "json" && *output != "yaml") {
		fmt.Fprintln(os.Stderr, "usage: fluxbuild [--strict=false] [--sops PROGRAM] [--output json|yaml] ROOT FILE...")
		os.Exit(2)
	}
	os.Exit(run(flag.Arg(0), flag.Args()[1:], options{strict: *strict, sops: *sops}, *output))
}

func run(root string, files []string, options options, output string) int {
	copied, err := os.MkdirTemp("", "fluxbuild")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	defer os.RemoveAll(copied)
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-stop
		os.RemoveAll(copied)
		os.Exit(130)
	}()
	// The secure file system compares real paths.
	if copied, err = filepath.EvalSymlinks(copied); err == nil {
		err = copySource(root, copied)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	result := follow(copied, files, options)
	if err := print(os.Stdout, result, output); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	for _, refused := range result.Refused {
		fmt.Fprintf(os.Stderr, "refused: %s: %s\n", refused.Owner, refused.Reason)
	}
	if len(result.Refused) > 0 {
		return 1
	}
	return 0
}

func print(to io.Writer, result result, output string) error {
	if output == "json" {
		encoder := json.NewEncoder(to)
		encoder.SetIndent("", " ")
		return encoder.Encode(result)
	}
	for _, applied := range result.Objects {
		text, err := yaml.Marshal(applied.Object)
		if err != nil {
			return err
		}
		fmt.Fprintf(to, "---\n# owner: %s\n%s", applied.Owner, text)
	}
	for _, unseen := range result.NotSeen {
		fmt.Fprintf(to, "---\n# not seen: %s: %s\n", unseen.Owner, unseen.Reason)
	}
	return nil
}
