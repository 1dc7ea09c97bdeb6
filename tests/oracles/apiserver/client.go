package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"sigs.k8s.io/yaml"
)

// client asks the server by plain HTTP, so that nothing stands between its answer and the test.
type client struct {
	server, version string
	http            *http.Client
	discoverer      discovery.DiscoveryInterface
	mapper          meta.RESTMapper
	// defined says that a definition was sent since the mapper was made.
	defined bool
}

// request is a line of stdin.
type request struct {
	// Verb is apply, create or delete.
	Verb string `json:"verb"`
	// Object is the object, or a text that is its YAML.
	Object json.RawMessage `json:"object"`
	// Manager is the field manager of an apply, which is forced.
	Manager string `json:"manager"`
	// DryRun leaves the server as it is.
	DryRun bool `json:"dryRun"`
}

// reply is the line of stdout that answers a request.
type reply struct {
	// Code is that of HTTP, or 0 where the server was not asked.
	Code int `json:"code"`
	// Message is what the server says when it refuses.
	Message string `json:"message"`
	// Warnings are those of the response.
	Warnings []string `json:"warnings"`
}

func config(running *plane) *rest.Config {
	return &rest.Config{
		Host:            running.server,
		BearerToken:     running.token,
		TLSClientConfig: rest.TLSClientConfig{Insecure: true},
		QPS:             -1,
	}
}

func newHTTPClient(running *plane) (*http.Client, error) {
	return rest.HTTPClientFor(config(running))
}

// connect returns a client once the server serves every version of the definitions.
func connect(running *plane, definitions []definition) (*client, error) {
	plain, err := newHTTPClient(running)
	if err != nil {
		return nil, err
	}
	discoverer, err := discovery.NewDiscoveryClientForConfig(config(running))
	if err != nil {
		return nil, err
	}
	version, err := discoverer.ServerVersion()
	if err != nil {
		return nil, err
	}
	missing := ""
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		groups, err := restmapper.GetAPIGroupResources(discoverer)
		if err != nil {
			return nil, err
		}
		mapper := restmapper.NewDiscoveryRESTMapper(groups)
		if missing = firstUnserved(mapper, definitions); missing == "" {
			return &client{running.server, version.GitVersion, plain, discoverer, mapper, false}, nil
		}
	}
	return nil, fmt.Errorf("%s is not served after %s", missing, patience)
}

func firstUnserved(mapper meta.RESTMapper, definitions []definition) string {
	for _, each := range definitions {
		for _, version := range each.served() {
			if _, err := mapper.RESTMapping(each.groupKind(), version); err != nil {
				return each.name() + " " + version
			}
		}
	}
	return ""
}

// define makes the server know a definition.
func (client *client) define(each definition) error {
	body, err := json.Marshal(each)
	if err != nil {
		return err
	}
	path := "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
	if told := client.ask(http.MethodPost, path, nil, "application/json", body); told.Code != http.StatusCreated {
		return fmt.Errorf("%s: %s", each.name(), told.Message)
	}
	return nil
}

// answer does what a line asks for.
func (client *client) answer(line []byte) reply {
	var asked request
	if err := json.Unmarshal(line, &asked); err != nil {
		return refuse(err)
	}
	object, err := readObject(asked.Object)
	if err != nil {
		return refuse(err)
	}
	collection, err := client.collection(object)
	if err != nil {
		return refuse(err)
	}
	body, err := json.Marshal(object.Object)
	if err != nil {
		return refuse(err)
	}
	query := url.Values{"fieldValidation": {"Strict"}}
	if asked.DryRun {
		query.Set("dryRun", "All")
	}
	item := collection + "/" + url.PathEscape(object.GetName())
	switch asked.Verb {
	case "apply":
		query.Set("fieldManager", asked.Manager)
		query.Set("force", "true")
		return client.ask(http.MethodPatch, item, query, "application/apply-patch+yaml", body)
	case "create":
		return client.ask(http.MethodPost, collection, query, "application/json", body)
	case "delete":
		return client.delete(item)
	}
	return refuse(fmt.Errorf("%q is no verb", asked.Verb))
}

// delete removes an object for good: no controller is here that would take finalizers off.
func (client *client) delete(item string) reply {
	told := client.ask(http.MethodDelete, item, url.Values{"gracePeriodSeconds": {"0"}}, "", nil)
	if told.Code != http.StatusOK && told.Code != http.StatusAccepted {
		return told
	}
	none := []byte(`{"metadata":{"finalizers":null}}`)
	client.ask(http.MethodPatch, item, nil, "application/merge-patch+json", none)
	if left := client.ask(http.MethodGet, item, nil, "", nil); left.Code != http.StatusNotFound {
		return refuse(fmt.Errorf("%s is still there", item))
	}
	return told
}

func refuse(err error) reply {
	return reply{Message: err.Error(), Warnings: []string{}}
}

func readObject(raw json.RawMessage) (*unstructured.Unstructured, error) {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		converted, err := yaml.YAMLToJSONStrict([]byte(text))
		if err != nil {
			return nil, err
		}
		raw = converted
	}
	object := &unstructured.Unstructured{}
	if err := json.Unmarshal(raw, &object.Object); err != nil {
		return nil, err
	}
	if object.GetName() == "" {
		return nil, fmt.Errorf("the object has no name")
	}
	return object, nil
}

// mapping finds the resource of a kind; one that was defined just now takes a moment to be served.
func (client *client) mapping(kind schema.GroupVersionKind) (*meta.RESTMapping, error) {
	mapping, err := client.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	deadline := time.Now().Add(10 * time.Second)
	for ; meta.IsNoMatchError(err) && client.defined; time.Sleep(200 * time.Millisecond) {
		groups, problem := restmapper.GetAPIGroupResources(client.discoverer)
		if problem != nil {
			return nil, problem
		}
		client.mapper = restmapper.NewDiscoveryRESTMapper(groups)
		mapping, err = client.mapper.RESTMapping(kind.GroupKind(), kind.Version)
		client.defined = time.Now().Before(deadline)
	}
	return mapping, err
}

// collection returns the path of an object's kind, in its namespace.
func (client *client) collection(object *unstructured.Unstructured) (string, error) {
	kind := object.GroupVersionKind()
	client.defined = client.defined || kind.Kind == "CustomResourceDefinition"
	mapping, err := client.mapping(kind)
	if err != nil {
		return "", err
	}
	path := "/apis/" + kind.Group + "/" + kind.Version
	if kind.Group == "" {
		path = "/api/" + kind.Version
	}
	namespace := object.GetNamespace()
	// Flux' targetNamespace gives one to custom resources of the cluster as well; the server takes it off again.
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
		if namespace == "" {
			return "", fmt.Errorf("%s %s has no namespace", kind.Kind, object.GetName())
		}
		path += "/namespaces/" + url.PathEscape(namespace)
	}
	return path + "/" + mapping.Resource.Resource, nil
}

func (client *client) ask(method, path string, query url.Values, mediaType string, body []byte) reply {
	asked, err := http.NewRequest(method, client.server+path+"?"+query.Encode(), bytes.NewReader(body))
	if err != nil {
		return refuse(err)
	}
	if mediaType != "" {
		asked.Header.Set("Content-Type", mediaType)
	}
	response, err := client.http.Do(asked)
	if err != nil {
		return refuse(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return refuse(err)
	}
	told := reply{Code: response.StatusCode, Warnings: []string{}}
	warnings, failures := utilnet.ParseWarningHeaders(response.Header["Warning"])
	for _, warning := range warnings {
		told.Warnings = append(told.Warnings, warning.Text)
	}
	for _, failure := range failures {
		told.Warnings = append(told.Warnings, failure.Error())
	}
	if response.StatusCode >= http.StatusBadRequest {
		var status metav1.Status
		told.Message = string(text)
		if json.Unmarshal(text, &status) == nil && status.Message != "" {
			told.Message = status.Message
		}
	}
	return told
}
