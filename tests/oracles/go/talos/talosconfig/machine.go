package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/siderolabs/talos/pkg/machinery/api/machine"
	"github.com/siderolabs/talos/pkg/machinery/compatibility"
	"github.com/siderolabs/talos/pkg/machinery/config"
	"github.com/siderolabs/talos/pkg/machinery/config/bundle"
	"github.com/siderolabs/talos/pkg/machinery/config/configpatcher"
	talosgenerate "github.com/siderolabs/talos/pkg/machinery/config/generate"
	"github.com/siderolabs/talos/pkg/machinery/config/generate/secrets"
	"github.com/siderolabs/talos/pkg/machinery/config/validation"
)

// A machine of metal: Talos installs itself on its disk.
type metal struct{}

func (metal) String() string        { return "metal" }
func (metal) RequiresInstall() bool { return true }
func (metal) InContainer() bool     { return false }

// Makes the configuration of a node, by the contract of the cluster's Talos version.
func generate(cluster *cluster, node *node) (config.Provider, error) {
	contract, err := config.ParseContractFromVersion(strings.TrimPrefix(cluster.TalosVersion, "v"))
	if err != nil {
		return nil, err
	}
	patches, err := cluster.patches(node)
	if err != nil {
		return nil, err
	}
	// topf says where the installer is before all patches.
	installer, err := configpatcher.LoadPatch([]byte("machine:\n  install:\n    image: " + cluster.installer(node) + "\n"))
	if err != nil {
		return nil, err
	}
	patches = append([]configpatcher.Patch{installer}, patches...)
	made, err := secrets.NewBundle(secrets.NewClock(), contract)
	if err != nil {
		return nil, err
	}
	role := bundle.WithPatchWorker(patches)
	if node.Role == "control-plane" {
		role = bundle.WithPatchControlPlane(patches)
	}
	configs, err := bundle.NewBundle(
		bundle.WithInputOptions(&bundle.InputOptions{
			ClusterName: cluster.ClusterName,
			Endpoint:    cluster.ClusterEndpoint,
			KubeVersion: strings.TrimPrefix(cluster.KubernetesVersion, "v"),
			GenOptions: []talosgenerate.Option{
				talosgenerate.WithSecretsBundle(made),
				talosgenerate.WithVersionContract(contract),
			},
		}),
		bundle.WithVerbose(false),
		role,
	)
	if err != nil {
		return nil, err
	}
	switch node.Role {
	case "control-plane":
		return configs.ControlPlaneCfg, nil
	case "worker":
		return configs.WorkerCfg, nil
	default:
		return nil, fmt.Errorf("no role is called %q", node.Role)
	}
}

func (cluster *cluster) installer(node *node) string {
	kind := "metal-installer"
	if node.SecureBoot || cluster.SecureBoot {
		kind += "-secureboot"
	}
	schematic := node.SchematicID
	if schematic == "" {
		schematic = cluster.SchematicID
	}
	return fmt.Sprintf("factory.talos.dev/%s/%s:%s", kind, schematic, cluster.TalosVersion)
}

// Says whether this Talos runs this Kubernetes.
func (cluster *cluster) supported() error {
	talos, err := compatibility.ParseTalosVersion(&machine.VersionInfo{Tag: cluster.TalosVersion})
	if err != nil {
		return err
	}
	kubernetes, err := compatibility.ParseKubernetesVersion(strings.TrimPrefix(cluster.KubernetesVersion, "v"))
	if err != nil {
		return err
	}
	return kubernetes.SupportedWith(talos)
}

func validate(provider config.Provider) error {
	warnings, err := provider.Validate(metal{}, validation.WithLocal(), validation.WithStrict())
	for _, warning := range warnings {
		err = errors.Join(err, errors.New("warning: "+warning))
	}
	return err
}
