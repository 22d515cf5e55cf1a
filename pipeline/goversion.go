package pipeline

import "go/version"

// compareGo compares Go releases written without the "go" in front.
func compareGo(a, b string) int { return version.Compare("go"+a, "go"+b) }
