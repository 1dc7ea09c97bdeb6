// A control plane for tests: etcd and kube-apiserver in one process, with the definitions of the
// catalogue's custom resources; under the name kubectl it is kubectl. README.md says how it is used.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"k8s.io/component-base/cli"
	kubectl "k8s.io/kubectl/pkg/cmd"
)

const usage = `usage:
  apiserver serve [--definitions FILE] [--base DIR]
  apiserver definitions --table FILE --structures FILE --sums FILE --out FILE
  apiserver pack --table FILE (--repositories DIR | --definitions DIR) --out FILE`

func main() {
	if strings.HasPrefix(filepath.Base(os.Args[0]), "kubectl") {
		os.Exit(cli.Run(kubectl.NewDefaultKubectlCommand()))
	}
	verb, arguments := "", []string(nil)
	if len(os.Args) > 1 {
		verb, arguments = os.Args[1], os.Args[2:]
	}
	var err error
	switch verb {
	case "serve":
		err = serve(arguments)
	case "definitions":
		err = collectDefinitions(arguments)
	case "pack":
		err = packStructures(arguments)
	case "plane":
		err = runPlane(arguments)
	default:
		err = fmt.Errorf("%q is no command\n%s", verb, usage)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "apiserver:", err)
		os.Exit(1)
	}
}
