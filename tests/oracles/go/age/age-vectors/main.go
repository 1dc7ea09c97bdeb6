// Writes the test vectors of the age project, a file each, into a folder; packed ones unpacked.
package main

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	agetest "c2sp.org/CCTV/age"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "age-vectors:", err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	entries, err := fs.ReadDir(agetest.Vectors, ".")
	if err != nil {
		return err
	}
	if len(arguments) != 1 {
		return fmt.Errorf("usage: age-vectors FOLDER | --version")
	}
	if arguments[0] == "--version" {
		fmt.Println(len(entries), "vectors")
		return nil
	}
	for _, entry := range entries {
		content, err := fs.ReadFile(agetest.Vectors, entry.Name())
		if err != nil {
			return err
		}
		if content, err = unpack(content); err != nil {
			return fmt.Errorf("%s: %w", entry.Name(), err)
		}
		if err := os.WriteFile(filepath.Join(arguments[0], entry.Name()), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// unpack takes away the compression that a vector's head tells of.
func unpack(content []byte) ([]byte, error) {
	head, body, found := bytes.Cut(content, []byte("\n\n"))
	mark := []byte("\ncompressed: zlib")
	if !found || !bytes.Contains(head, mark) {
		return content, nil
	}
	reader, err := zlib.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	unpacked, err := io.ReadAll(reader)
	if err != nil {
		return nil, err
	}
	head = bytes.Replace(head, mark, nil, 1)
	return append(append(head, "\n\n"...), unpacked...), nil
}
