package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"os/exec"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/kustomize/api/resource"
)

const decryptAnnotation = "kustomize.toolkit.fluxcd.io/decrypt"

// decrypt opens an object that sops has sealed, as kustomize-controller does: as JSON, and without a look at the MAC, since
// the build may have added to it.
func decrypt(kustomization unstructured.Unstructured, object *resource.Resource, sops string) error {
	provider, _, _ := unstructured.NestedString(kustomization.Object, "spec", "decryption", "provider")
	if object.GetAnnotations()[decryptAnnotation] == "disabled" {
		return nil
	}
	content, err := object.Map()
	if err != nil {
		return err
	}
	if _, sealed, _ := unstructured.NestedString(content, "sops", "mac"); !sealed {
		return refuseSealedValues(content)
	}
	if provider != "sops" {
		return fmt.Errorf("is SOPS encrypted, and its Kustomization has no spec.decryption")
	}
	if sops == "" {
		return fmt.Errorf("is SOPS encrypted, and no --sops was given")
	}
	sealed, err := object.MarshalJSON()
	if err != nil {
		return err
	}
	command := exec.Command(sops, "decrypt", "--ignore-mac", "--input-type", "json", "--output-type", "json",
		"--filename-override", "object.json")
	command.Stdin = bytes.NewReader(sealed)
	var problem bytes.Buffer
	command.Stderr = &problem
	open, err := command.Output()
	if err != nil {
		return fmt.Errorf("decryption failed: %s", strings.Join(strings.Fields(problem.String()), " "))
	}
	return object.UnmarshalJSON(open)
}

// refuseSealedValues finds what a generator took from a sealed file: Flux opens these before the build, which is not done here.
func refuseSealedValues(content map[string]any) error {
	if content["kind"] != "Secret" {
		return nil
	}
	data, _, _ := unstructured.NestedStringMap(content, "data")
	for name, value := range data {
		decoded, err := base64.StdEncoding.DecodeString(value)
		if err == nil && bytes.Contains(decoded, []byte("ENC[AES256_GCM,")) {
			return fmt.Errorf("data.%s comes from a sealed file by a generator: fluxbuild does not open these", name)
		}
	}
	return nil
}
