package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig/v3"
	"github.com/siderolabs/talos/pkg/machinery/config/configpatcher"
	"gopkg.in/yaml.v3"
)

// What topf.yaml holds. A key that topf does not know is refused, so that a misspelt one is found.
type cluster struct {
	ClusterName       string         `yaml:"clusterName"`
	ClusterEndpoint   string         `yaml:"clusterEndpoint"`
	KubernetesVersion string         `yaml:"kubernetesVersion"`
	TalosVersion      string         `yaml:"talosVersion"`
	SchematicID       string         `yaml:"schematicId"`
	SecureBoot        bool           `yaml:"secureboot"`
	SecretsPath       string         `yaml:"secretsPath"`
	Data              map[string]any `yaml:"data"`
	Nodes             []node         `yaml:"nodes"`

	folder string
}

type node struct {
	Host         string         `yaml:"host"`
	IP           string         `yaml:"ip"`
	Role         string         `yaml:"role"`
	TalosVersion string         `yaml:"talosVersion"`
	SchematicID  string         `yaml:"schematicId"`
	SecureBoot   bool           `yaml:"secureboot"`
	Data         map[string]any `yaml:"data"`
}

// What a template reads; the names are topf's.
type patchContext struct {
	ClusterName       string
	ClusterEndpoint   string
	KubernetesVersion string
	TalosVersion      string
	SchematicID       string
	Data              map[string]any
	Node              *node
}

func readCluster(folder string) (*cluster, error) {
	text, err := os.ReadFile(filepath.Join(folder, "topf.yaml"))
	if err != nil {
		return nil, err
	}
	read := &cluster{folder: folder}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(read); err != nil {
		return nil, fmt.Errorf("topf.yaml: %w", err)
	}
	if len(read.Nodes) == 0 {
		return nil, errors.New("topf.yaml names no node")
	}
	return read, nil
}

// The patches of a node, in topf's order.
func (cluster *cluster) patches(node *node) ([]configpatcher.Patch, error) {
	var patches []configpatcher.Patch
	for _, folder := range []string{"all", node.Role, filepath.Join("node", node.Host)} {
		paths, err := patchFiles(filepath.Join(cluster.folder, folder))
		if err != nil {
			return nil, err
		}
		for _, path := range paths {
			loaded, err := cluster.load(path, node)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
			patches = append(patches, loaded...)
		}
	}
	return patches, nil
}

func patchFiles(folder string) ([]string, error) {
	var paths []string
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && strings.Contains(entry.Name(), ".yaml") {
			paths = append(paths, path)
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return paths, err
}

func (cluster *cluster) load(path string, node *node) ([]configpatcher.Patch, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if strings.HasSuffix(path, ".tpl") {
		if text, err = cluster.expand(string(text), node); err != nil {
			return nil, err
		}
	}
	var patches []configpatcher.Patch
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	for {
		// One document is one patch, written anew without comments.
		var document map[string]any
		if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
			return patches, nil
		} else if err != nil {
			return nil, err
		}
		if len(document) == 0 {
			continue
		}
		written, err := yaml.Marshal(document)
		if err != nil {
			return nil, err
		}
		patch, err := configpatcher.LoadPatch(written)
		if err != nil {
			return nil, err
		}
		patches = append(patches, patch)
	}
}

func (cluster *cluster) expand(text string, node *node) ([]byte, error) {
	parsed, err := template.New("patch").Funcs(sprig.TxtFuncMap()).Option("missingkey=error").Parse(text)
	if err != nil {
		return nil, err
	}
	var expanded bytes.Buffer
	err = parsed.Execute(&expanded, patchContext{
		ClusterName:       cluster.ClusterName,
		ClusterEndpoint:   cluster.ClusterEndpoint,
		KubernetesVersion: cluster.KubernetesVersion,
		TalosVersion:      cluster.TalosVersion,
		SchematicID:       cluster.SchematicID,
		Data:              cluster.Data,
		Node:              node,
	})
	return expanded.Bytes(), err
}
