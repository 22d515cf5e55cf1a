package pipeline

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// The sample images run as somebody who is not root, by a number, which a runtime can check.
func TestTheSampleImagesRunAsNobodySpecial(t *testing.T) {
	var files []string
	for _, pattern := range []string{"Dockerfile", "*/Dockerfile"} {
		found, err := filepath.Glob(filepath.Join("..", "services", pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	if len(files) < 3 {
		t.Fatalf("the Dockerfiles found are %v", files)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		ast, err := parser.Parse(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		stages, _, err := instructions.Parse(ast.AST, nil)
		if err != nil {
			t.Fatal(err)
		}
		user := ""
		for _, c := range stages[len(stages)-1].Commands {
			if u, ok := c.(*instructions.UserCommand); ok {
				user = u.User
			}
		}
		if !regexp.MustCompile(`^[1-9]\d*(:[1-9]\d*)?$`).MatchString(user) {
			t.Errorf("%s: the last stage's USER is %q", file, user)
		}
	}
}
