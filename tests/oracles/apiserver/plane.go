package main

import (
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/storage/wal"
	"k8s.io/component-base/cli"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
)

// freePort returns a port that nobody listens on now. Another process may take it first: who starts a
// plane tries again with another one.
func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

func startEtcd(folder string) (*embed.Etcd, string, error) {
	// Each segment is written out in full when it is made; the default is 64 MB.
	wal.SegmentSizeBytes = 4 << 20
	config := embed.NewConfig()
	config.Dir = folder
	config.LogLevel = "error"
	// Nothing here has to outlive the machine.
	config.UnsafeNoFsync = true
	var addresses [2]url.URL
	for at := range addresses {
		port, err := freePort()
		if err != nil {
			return nil, "", err
		}
		addresses[at] = url.URL{Scheme: "http", Host: fmt.Sprintf("127.0.0.1:%d", port)}
	}
	config.ListenClientUrls, config.AdvertiseClientUrls = addresses[:1], addresses[:1]
	config.ListenPeerUrls, config.AdvertisePeerUrls = addresses[1:], addresses[1:]
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	etcd, err := embed.StartEtcd(config)
	if err != nil {
		return nil, "", err
	}
	select {
	case <-etcd.Server.ReadyNotify():
		return etcd, addresses[0].String(), nil
	case <-time.After(time.Minute):
		return nil, "", fmt.Errorf("etcd is not ready after a minute")
	}
}

// runPlane runs etcd and kube-apiserver in DIR on PORT until SIGTERM, after which DIR/etcd is whole.
// Whoever started it holds its stdin: when that closes, it removes DIR and ends at once.
func runPlane(arguments []string) error {
	if len(arguments) != 2 {
		return fmt.Errorf("usage: apiserver plane DIR PORT")
	}
	folder, port := arguments[0], arguments[1]
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = os.RemoveAll(folder)
		os.Exit(0)
	}()
	etcd, address, err := startEtcd(filepath.Join(folder, "etcd"))
	if err != nil {
		return err
	}
	key := filepath.Join(folder, "serviceaccounts.key")
	command := app.NewAPIServerCommand()
	command.SetArgs([]string{
		"--etcd-servers=" + address,
		"--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", "--secure-port=" + port,
		"--cert-dir=" + filepath.Join(folder, "certificates"),
		"--token-auth-file=" + filepath.Join(folder, "tokens.csv"),
		"--authorization-mode=RBAC",
		// Without it every privileged pod is refused, whatever its namespace says.
		"--allow-privileged=true",
		// The catalogue gives cluster DNS an address in it.
		"--service-cluster-ip-range=10.43.0.0/16",
		// From 1.37 on a loopback address cannot be published as the endpoint of the Service kubernetes.
		"--endpoint-reconciler-type=none",
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-account-key-file=" + key, "--service-account-signing-key-file=" + key,
		// No controller makes a ServiceAccount `default` here, and Pods would be refused for that; nobody
		// takes the finalizer of a claim off again either.
		"--disable-admission-plugins=ServiceAccount,StorageObjectInUseProtection",
	})
	code := cli.Run(command)
	etcd.Close()
	if code != 0 {
		return fmt.Errorf("kube-apiserver ended with exit code %d", code)
	}
	return nil
}
