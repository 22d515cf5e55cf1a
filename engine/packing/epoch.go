// Package packing finishes an image that an engine built: its version in its config, one time
// for all files in its layers, an OCI layout on disk.
package packing

import (
	"encoding/binary"
	"time"
)

// Epoch is the time of every file in an image's layers: with it, layers are equal
// wherever and whenever they are built. 1980 is the oldest time that every archive format
// can hold.
var Epoch = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

// ContentTime turns a content's hash into a time between 1980 and 2116, for files that a build
// is given: it is equal in every clone, and another when the content is.
func ContentTime(hash []byte) time.Time {
	return Epoch.Add(time.Duration(binary.BigEndian.Uint32(hash)) * time.Second)
}
