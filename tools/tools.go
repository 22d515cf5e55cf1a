// Package tools carries the module files that pin the tools which checks run in
// containers. Each is a module apart from slipway's own, so that a linter's dependencies
// never meet the product's. To raise one: go get -modfile=tools/golangci-lint.mod -tool
// github.com/golangci/golangci-lint/v2/cmd/golangci-lint@VERSION
package tools

import (
	_ "embed"

	"slipway/pipeline"
)

var (
	//go:embed golangci-lint.mod
	lintMod string
	//go:embed golangci-lint.sum
	lintSum string
	//go:embed testreport.mod
	testMod string
	//go:embed testreport.sum
	testSum string
)

// Set are the pinned tools.
func Set() pipeline.Toolset {
	return pipeline.Toolset{
		Lint: pipeline.Tool{Name: "golangci-lint", Mod: lintMod, Sum: lintSum},
		Test: pipeline.Tool{Name: "testreport", Mod: testMod, Sum: testSum},
	}
}
