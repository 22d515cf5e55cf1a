package buildkit

import "time"

// Epoch is the time of every file in an image's layers: with it, layers are equal
// wherever and whenever they are built. 1980 is the oldest time that every archive format
// can hold.
var Epoch = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)
