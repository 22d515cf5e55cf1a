// Package fit compares a Dagger module's source with the code that Dagger generated for it, which
// is committed: the functions that the source has, and those that the generated code calls.
// (Dagger itself generates anew when it loads the module; `go vet`, editors and reviewers see
// what is committed.)
package fit

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"strings"
)

// Generated is the file that Dagger's code generator writes.
const Generated = "dagger.gen.go"

// Source lists the module's functions and its types' fields as its source has them, as
// "Object.Function name type, …". Those are methods with a context that are exported, and New.
func Source(dir, object string) (map[string]string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, name := range files {
		if filepath.Base(name) == Generated {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			return nil, err
		}
		for _, d := range file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if key, signature, ok := function(d, object); ok {
					out[key] = signature
				}
			case *ast.GenDecl:
				structs(d, out)
			}
		}
	}
	return out, nil
}

func function(d *ast.FuncDecl, object string) (key, signature string, ok bool) {
	if d.Recv == nil {
		return object + ".", params(d.Type.Params), d.Name.Name == "New"
	}
	if !d.Name.IsExported() {
		return "", "", false
	}
	return strings.TrimPrefix(types.ExprString(d.Recv.List[0].Type), "*") + "." + d.Name.Name, params(d.Type.Params), true
}

// params are a function's without its context.
func params(list *ast.FieldList) string {
	var out []string
	for _, p := range list.List {
		kind := types.ExprString(p.Type)
		if kind == "context.Context" {
			continue
		}
		for _, n := range p.Names {
			out = append(out, strings.ToLower(n.Name)+" "+kind)
		}
	}
	return strings.Join(out, ", ")
}

func structs(d *ast.GenDecl, out map[string]string) {
	for _, s := range d.Specs {
		t, ok := s.(*ast.TypeSpec)
		if !ok || !t.Name.IsExported() {
			continue
		}
		if st, ok := t.Type.(*ast.StructType); ok {
			out[t.Name.Name] = params(st.Fields)
		}
	}
}

// Calls lists the same as the generated code has it.
func Calls(dir string) (map[string]string, error) {
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, Generated), nil, 0)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		switch {
		case f.Name.Name == "invoke":
			if err := dispatched(f, out); err != nil {
				return nil, err
			}
		case f.Name.Name == "MarshalJSON" && f.Recv != nil:
			marshalled(f, out)
		}
	}
	return out, nil
}

// dispatched reads the calls of "switch parentName { case "Object": switch fnName { … } }".
func dispatched(f *ast.FuncDecl, out map[string]string) error {
	var fault error
	cases(f.Body, func(object string, body []ast.Stmt) {
		for _, s := range body {
			cases(s, func(name string, body []ast.Stmt) {
				signature, err := call(body)
				if err != nil {
					fault = fmt.Errorf("%s.%s: %w", object, name, err)
				}
				out[object+"."+name] = signature
			})
		}
	})
	return fault
}

// cases visits the string cases of the first switch in a node.
func cases(n ast.Node, visit func(name string, body []ast.Stmt)) {
	done := false
	ast.Inspect(n, func(n ast.Node) bool {
		s, ok := n.(*ast.SwitchStmt)
		if !ok || done {
			return !done
		}
		done = true
		for _, c := range s.Body.List {
			c := c.(*ast.CaseClause)
			for _, e := range c.List {
				if lit, ok := e.(*ast.BasicLit); ok {
					visit(strings.Trim(lit.Value, `"`), c.Body)
				}
			}
		}
		return false
	})
}

// call is what the last statement of a case hands to the module's function.
func call(body []ast.Stmt) (string, error) {
	kinds := map[string]string{}
	var handed []string
	found := false
	for _, s := range body {
		ast.Inspect(s, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ValueSpec:
				if n.Type != nil {
					kinds[n.Names[0].Name] = types.ExprString(n.Type)
				}
			case *ast.CallExpr:
				fun := types.ExprString(n.Fun)
				if !strings.HasPrefix(fun, "(*") && fun != "New" {
					return true
				}
				found = true
				for _, a := range n.Args {
					if id, ok := a.(*ast.Ident); ok && id.Name != "ctx" {
						handed = append(handed, strings.ToLower(id.Name)+" "+kinds[id.Name])
					}
				}
			}
			return true
		})
	}
	if !found {
		return "", fmt.Errorf("%s has no call of it that this test can read", Generated)
	}
	return strings.Join(handed, ", "), nil
}

// marshalled reads the fields of MarshalJSON's "var concrete struct { … }".
func marshalled(f *ast.FuncDecl, out map[string]string) {
	ast.Inspect(f.Body, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok {
			if st, ok := v.Type.(*ast.StructType); ok {
				out[strings.TrimPrefix(types.ExprString(f.Recv.List[0].Type), "*")] = params(st.Fields)
			}
		}
		return true
	})
}
