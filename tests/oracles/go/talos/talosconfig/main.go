// talosconfig makes the machine configurations of a folder of topf, and says what Talos makes of them.
//
//	talosconfig [--output DIR] FOLDER
//
// FOLDER holds topf.yaml and the patches beside it. For each node, as topf does it, the configuration that this version of
// Talos' machinery generates for `talosVersion` and the node's role is patched with all/, the role's folder and node/NAME/, with
// .tpl files expanded first. Then Talos validates the result as a machine of metal does, warnings being errors. Secrets are made up
// and thrown away.
//
// With --output, each configuration is written to DIR/NAME.yaml, valid or not. Exit code 0: Talos takes all of them; 1: each line on
// stderr names a node and what is wrong; 2: wrong usage, or no folder of topf.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"

	"github.com/siderolabs/talos/pkg/machinery/config/encoder"
)

const machinery = "github.com/siderolabs/talos/pkg/machinery"

func main() {
	output := flag.String("output", "", "the folder that configurations are written to")
	version := flag.Bool("version", false, "print the version of Talos' machinery")
	flag.Parse()
	if *version {
		fmt.Println(machineryVersion())
		return
	}
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: talosconfig [--output DIR] FOLDER")
		os.Exit(2)
	}
	cluster, err := readCluster(flag.Arg(0))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	os.Exit(judge(cluster, *output))
}

func judge(cluster *cluster, output string) int {
	code := 0
	if err := cluster.supported(); err != nil {
		fmt.Fprintf(os.Stderr, "topf.yaml: %v\n", err)
		code = 1
	}
	for _, node := range cluster.Nodes {
		if err := judgeNode(cluster, &node, output); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", node.Host, err)
			code = 1
			continue
		}
		fmt.Printf("%s: valid\n", node.Host)
	}
	return code
}

func judgeNode(cluster *cluster, node *node, output string) error {
	provider, err := generate(cluster, node)
	if err != nil {
		return err
	}
	if output != "" {
		bytes, err := provider.EncodeBytes(encoder.WithComments(encoder.CommentsDisabled), encoder.WithOmitEmpty(true))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(output, node.Host+".yaml"), bytes, 0o600); err != nil {
			return err
		}
	}
	return validate(provider)
}

func machineryVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, module := range info.Deps {
		if module.Path == machinery {
			if module.Replace != nil {
				return module.Version + " replaced"
			}
			return module.Version
		}
	}
	return "unknown"
}
