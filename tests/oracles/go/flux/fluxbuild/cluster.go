package main

import (
	"context"
	"encoding/base64"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// cluster holds the ConfigMaps and Secrets that were applied so far; nothing else is asked of it.
type cluster struct {
	client.Client
	configMaps map[client.ObjectKey]corev1.ConfigMap
	secrets    map[client.ObjectKey]corev1.Secret
}

func newCluster() *cluster {
	return &cluster{
		configMaps: map[client.ObjectKey]corev1.ConfigMap{},
		secrets:    map[client.ObjectKey]corev1.Secret{},
	}
}

// Get answers for the two kinds of substituteFrom.
func (c *cluster) Get(_ context.Context, key client.ObjectKey, into client.Object, _ ...client.GetOption) error {
	kind := ""
	switch into := into.(type) {
	case *corev1.ConfigMap:
		if found, ok := c.configMaps[key]; ok {
			*into = found
			return nil
		}
		kind = "configmaps"
	case *corev1.Secret:
		if found, ok := c.secrets[key]; ok {
			*into = found
			return nil
		}
		kind = "secrets"
	}
	return apierrors.NewNotFound(schema.GroupResource{Resource: kind}, key.Name)
}

// apply takes up an object; where it cannot be read as its kind, the API server would refuse it.
func (c *cluster) apply(object unstructured.Unstructured) error {
	if object.GetAPIVersion() != "v1" {
		return nil
	}
	key := client.ObjectKeyFromObject(&object)
	converter := runtime.DefaultUnstructuredConverter
	switch object.GetKind() {
	case "ConfigMap":
		var configMap corev1.ConfigMap
		if err := converter.FromUnstructured(object.Object, &configMap); err != nil {
			return err
		}
		c.configMaps[key] = configMap
	case "Secret":
		// The converter does not decode base64.
		secret := corev1.Secret{Data: map[string][]byte{}}
		data, _, err := unstructured.NestedStringMap(object.Object, "data")
		if err != nil {
			return err
		}
		for name, value := range data {
			if secret.Data[name], err = base64.StdEncoding.DecodeString(value); err != nil {
				return err
			}
		}
		open, _, err := unstructured.NestedStringMap(object.Object, "stringData")
		if err != nil {
			return err
		}
		for name, value := range open {
			secret.Data[name] = []byte(value)
		}
		c.secrets[key] = secret
	}
	return nil
}
