package main

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// patience is how long a control plane may take to be ready on a busy machine.
const patience = 3 * time.Minute

// plane is a running control plane in a folder of its own.
type plane struct {
	folder, server, token string
	process               *exec.Cmd
	// stdin ends the process when it is closed, also by the death of this one.
	stdin io.WriteCloser
	ended chan error
}

// ready is the first line that serve prints.
type ready struct {
	Kubeconfig  string  `json:"kubeconfig"`
	Definitions int     `json:"definitions"`
	Version     string  `json:"version"`
	Base        string  `json:"base"`
	Seconds     float64 `json:"seconds"`
}

// serve starts a control plane with the definitions, says on stdout that it is ready, answers each line of
// stdin with a line, and ends with stdin or by a signal. It leaves nothing behind but the base folder.
func serve(arguments []string) error {
	started := time.Now()
	executable, err := os.Executable()
	if err != nil {
		return err
	}
	flags := flag.NewFlagSet("serve", flag.ExitOnError)
	beside := filepath.Dir(executable)
	file := flags.String("definitions", filepath.Join(beside, "definitions.json"), "what `apiserver definitions` wrote")
	bases := flags.String("base", beside, "folder in which an etcd with the definitions in it is kept")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	text, err := os.ReadFile(*file)
	if err != nil {
		return err
	}
	var definitions []definition
	if err := json.Unmarshal(text, &definitions); err != nil {
		return fmt.Errorf("%s: %w", *file, err)
	}
	digest := sha256.Sum256(text)
	base := filepath.Join(*bases, "base-"+hex.EncodeToString(digest[:8]))
	running, err := startWith(base, definitions)
	if err != nil {
		return err
	}
	defer running.kill()
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		running.kill()
		os.Exit(0)
	}()
	client, err := connect(running, definitions)
	if err != nil {
		return running.explain(err)
	}
	told := ready{
		Kubeconfig:  filepath.Join(running.folder, "kubeconfig"),
		Definitions: len(definitions),
		Version:     client.version,
		Base:        base,
		Seconds:     time.Since(started).Seconds(),
	}
	out := json.NewEncoder(os.Stdout)
	if err := out.Encode(told); err != nil {
		return err
	}
	return answerLines(os.Stdin, out, client)
}

func answerLines(in io.Reader, out *json.Encoder, client *client) error {
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			if err := out.Encode(client.answer(line)); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// startWith starts a control plane that has the definitions. A base that is broken is made anew.
func startWith(base string, definitions []definition) (*plane, error) {
	if err := ensureBase(base, definitions); err != nil {
		return nil, err
	}
	running, err := startPlane(base)
	if err == nil {
		return running, nil
	}
	if err := errors.Join(os.RemoveAll(base), ensureBase(base, definitions)); err != nil {
		return nil, err
	}
	return startPlane(base)
}

// ensureBase makes the base folder once, whoever else wants it at the same time: an etcd folder in which
// the definitions are, written by a control plane that was stopped properly.
func ensureBase(base string, definitions []definition) error {
	if err := makeBase(base, definitions); err != nil {
		return fmt.Errorf("the definitions cannot be loaded: %w", err)
	}
	return nil
}

func makeBase(base string, definitions []definition) error {
	lock, err := os.OpenFile(base+".lock", os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return err
	}
	if _, err := os.Stat(base); err == nil {
		return nil
	}
	running, err := startPlane("")
	if err != nil {
		return err
	}
	defer running.kill()
	client, err := connect(running, nil)
	if err != nil {
		return running.explain(err)
	}
	for _, each := range definitions {
		if err := client.define(each); err != nil {
			return err
		}
	}
	if _, err := connect(running, definitions); err != nil {
		return running.explain(err)
	}
	if err := running.stop(); err != nil {
		return running.explain(err)
	}
	// Another file system may lie between: copied beside the base, then named at once.
	unfinished := base + ".new"
	if err := os.RemoveAll(unfinished); err != nil {
		return err
	}
	if err := os.CopyFS(unfinished, os.DirFS(filepath.Join(running.folder, "etcd"))); err != nil {
		return err
	}
	return os.Rename(unfinished, base)
}

// startPlane starts a control plane in a temporary folder, on a copy of the base where there is one.
func startPlane(base string) (*plane, error) {
	var failure error
	for range 3 {
		running, err := launchPlane(base)
		if err != nil {
			return nil, err
		}
		if failure = running.wait(); failure == nil {
			return running, nil
		}
		failure = running.explain(failure)
		running.kill()
		if !strings.Contains(failure.Error(), "address already in use") {
			break
		}
	}
	return nil, failure
}

func launchPlane(base string) (*plane, error) {
	folder, err := os.MkdirTemp("", "kiln-apiserver-")
	if err != nil {
		return nil, err
	}
	running := &plane{folder: folder, ended: make(chan error, 1)}
	if err := running.launch(base); err != nil {
		_ = os.RemoveAll(folder)
		return nil, err
	}
	return running, nil
}

func (running *plane) launch(base string) error {
	if base != "" {
		if err := os.CopyFS(filepath.Join(running.folder, "etcd"), os.DirFS(base)); err != nil {
			return err
		}
		// CopyFS makes folders for everybody; etcd warns of that.
		if err := os.Chmod(filepath.Join(running.folder, "etcd"), 0o700); err != nil {
			return err
		}
	}
	port, err := freePort()
	if err != nil {
		return err
	}
	if err := running.writeAccess(port); err != nil {
		return err
	}
	executable, err := os.Executable()
	if err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(running.folder, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	running.process = exec.Command(executable, "plane", running.folder, fmt.Sprint(port))
	running.process.Stdout, running.process.Stderr = log, log
	// Ctrl+C in a terminal is for this process, which ends the other.
	running.process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if running.stdin, err = running.process.StdinPipe(); err != nil {
		return err
	}
	if err := running.process.Start(); err != nil {
		return err
	}
	go func() { running.ended <- running.process.Wait() }()
	return nil
}

// writeAccess writes what the server knows its only user by, and the kubeconfig of that user.
func (running *plane) writeAccess(port int) error {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	block := &pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}
	running.token = rand.Text()
	running.server = fmt.Sprintf("https://127.0.0.1:%d", port)
	kubeconfig := fmt.Sprintf(`apiVersion: v1
kind: Config
current-context: laboratory
clusters: [{name: laboratory, cluster: {server: "%s", insecure-skip-tls-verify: true}}]
users: [{name: admin, user: {token: "%s"}}]
contexts: [{name: laboratory, context: {cluster: laboratory, user: admin}}]
`, running.server, running.token)
	for name, text := range map[string]string{
		"serviceaccounts.key": string(pem.EncodeToMemory(block)),
		"tokens.csv":          running.token + ",admin,admin,system:masters\n",
		"kubeconfig":          kubeconfig,
	} {
		if err := os.WriteFile(filepath.Join(running.folder, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// wait returns when the server is ready, or an error when it ends or takes too long.
func (running *plane) wait() error {
	probe, err := newHTTPClient(running)
	if err != nil {
		return err
	}
	deadline := time.After(patience)
	for {
		if response, err := probe.Get(running.server + "/readyz"); err == nil {
			_ = response.Body.Close()
			if response.StatusCode == 200 {
				return nil
			}
		}
		select {
		case err := <-running.ended:
			running.ended <- err
			return fmt.Errorf("the control plane ended before it was ready: %v", err)
		case <-deadline:
			return fmt.Errorf("the control plane is not ready after %s", patience)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// explain adds the end of the server's log to an error.
func (running *plane) explain(err error) error {
	text, _ := os.ReadFile(filepath.Join(running.folder, "log"))
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	lines = lines[max(0, len(lines)-20):]
	return fmt.Errorf("%w; the end of its log:\n%s", err, strings.Join(lines, "\n"))
}

// stop ends the server so that its etcd folder is whole.
func (running *plane) stop() error {
	if err := running.process.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case err := <-running.ended:
		running.ended <- err
		return err
	case <-time.After(patience):
		return fmt.Errorf("the control plane does not stop")
	}
}

// kill ends the server at once, and removes its folder.
func (running *plane) kill() {
	_ = running.process.Process.Kill()
	running.ended <- <-running.ended
	_ = os.RemoveAll(running.folder)
}
