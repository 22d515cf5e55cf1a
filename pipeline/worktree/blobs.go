package worktree

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
)

// blobs reads contents of earlier versions of files, with one git process that is started
// when the first is asked for.
type blobs struct {
	ctx  context.Context
	root string
	cmd  *exec.Cmd
	ask  io.WriteCloser
	said *bufio.Reader
	err  error
}

func (w *Worktree) blobs(ctx context.Context) *blobs { return &blobs{ctx: ctx, root: w.Root} }

// read gives the content of a blob.
func (b *blobs) read(id string) ([]byte, error) {
	if b.cmd == nil && b.err == nil {
		b.err = b.start()
	}
	if b.err != nil {
		return nil, b.err
	}
	data, err := b.next(id)
	if err != nil {
		return nil, fmt.Errorf("reading the blob %s: git cat-file: %w", id, err)
	}
	return data, nil
}

func (b *blobs) start() (err error) {
	cmd := command(b.ctx, b.root, "cat-file", "--batch")
	if b.ask, err = cmd.StdinPipe(); err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	b.said = bufio.NewReader(out)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting git cat-file: %w", err)
	}
	b.cmd = cmd
	return nil
}

// next asks for one object: "HASH TYPE SIZE", its content, and a line end.
func (b *blobs) next(id string) ([]byte, error) {
	if _, err := fmt.Fprintln(b.ask, id); err != nil {
		return nil, err
	}
	line, err := b.said.ReadString('\n')
	if err != nil {
		return nil, err
	}
	f := strings.Fields(line)
	if len(f) != 3 {
		return nil, fmt.Errorf("%s", strings.TrimSpace(line)) // "HASH missing"
	}
	size, err := strconv.Atoi(f[2])
	if err != nil {
		return nil, fmt.Errorf("unexpected line %q", line)
	}
	data := make([]byte, size+1)
	if _, err := io.ReadFull(b.said, data); err != nil {
		return nil, err
	}
	return data[:size], nil
}

// close ends the process.
func (b *blobs) close() {
	if b.cmd == nil {
		return
	}
	_ = b.ask.Close()
	_ = b.cmd.Wait() // it has nothing left to say
}
