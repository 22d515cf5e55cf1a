// Package logs reads what a stack's tasks write, through the Swarm.
package logs

import (
	"bytes"
	"net/url"
	"strings"
	"time"

	"slipway/report/foreign"
)

// Line is one line that a task wrote.
type Line struct {
	Time time.Time // by its node's clock; zero where the daemon gave none
	Task string    // its name for people: "web.1.x8dh3k2p9abc@node1"
	Text string    // without what would have power over a terminal
}

// Names of a task's ids in what the daemon tells of each line (swarmkit, api/logbroker.proto;
// moby, daemon/cluster/services.go: ServiceLogs).
const (
	detailNode = "com.docker.swarm.node.id"
	detailTask = "com.docker.swarm.task.id"
)

// message is what the daemon sends of one line, or of a part of a long one.
type message struct {
	at         time.Time
	task, node string // ids
	text       []byte
	whole      bool // it ends a line
}

// parse reads "TIME NAME=VALUE,NAME=VALUE text\n", names and values escaped as in addresses. It
// gives the message as bare text where it has another form.
func parse(raw []byte) message {
	text, whole := bytes.CutSuffix(raw, []byte("\n"))
	bare := message{text: text, whole: whole}
	stamp, rest, ok := bytes.Cut(text, []byte(" "))
	if !ok {
		return bare
	}
	at, err := time.Parse(time.RFC3339Nano, string(stamp))
	if err != nil {
		return bare
	}
	details, rest, ok := bytes.Cut(rest, []byte(" "))
	if !ok {
		return bare
	}
	m := message{at: at, text: rest, whole: whole}
	for pair := range strings.SplitSeq(string(details), ",") {
		name, value, _ := strings.Cut(pair, "=")
		name, _ = url.QueryUnescape(name)
		value, _ = url.QueryUnescape(value)
		switch name {
		case detailNode:
			m.node = value
		case detailTask:
			m.task = value
		}
	}
	if m.task == "" {
		return bare
	}
	return m
}

// maxLine bounds one line, in bytes: what is longer comes in pieces.
const maxLine = 256 << 10

// joiner puts parts of long lines together, each task's and stream's apart. It is a stream's
// Writer: stdcopy calls Write once for each message.
type joiner struct {
	begun map[string]message // by task
	emit  func(m message)
}

func (j *joiner) Write(p []byte) (int, error) {
	m := parse(bytes.Clone(p))
	if b, ok := j.begun[m.task]; ok {
		m.at, m.text = b.at, append(b.text, m.text...)
		delete(j.begun, m.task)
	}
	if !m.whole && len(m.text) < maxLine {
		j.begun[m.task] = m
		return len(p), nil
	}
	j.emit(m)
	return len(p), nil
}

// rest gives lines that were broken off.
func (j *joiner) rest() {
	for _, m := range j.begun {
		j.emit(m)
	}
	clear(j.begun)
}

// clean takes a text's power over terminals away.
func clean(text []byte) string { return strings.ReplaceAll(foreign.Plain(string(text)), "\n", " ") }
