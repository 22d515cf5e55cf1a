package database

import (
	"cmp"
	"embed"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
)

//go:embed migrations/*.sql
var embedded embed.FS

// Migrations are the backend's own.
func Migrations() fs.FS {
	sub, err := fs.Sub(embedded, "migrations")
	if err != nil {
		panic(err) // the path is a constant
	}
	return sub
}

type migration struct {
	number int
	name   string // of the file: "0001_create_notes.sql"
	sql    string
}

var migrationName = regexp.MustCompile(`^([0-9]{1,9})_[a-z0-9_]+\.sql$`)

// readMigrations gives the files in the order of their numbers, which is not always that of
// their names: 10 comes after 9.
func readMigrations(files fs.FS) ([]migration, error) {
	entries, err := fs.ReadDir(files, ".")
	if err != nil {
		return nil, fmt.Errorf("reading the migrations: %w", err)
	}
	var all []migration
	for _, entry := range entries {
		match := migrationName.FindStringSubmatch(entry.Name())
		if match == nil {
			return nil, fmt.Errorf("reading the migrations: %s is not named like 0001_create_notes.sql", entry.Name())
		}
		number, err := strconv.Atoi(match[1])
		if err != nil {
			return nil, fmt.Errorf("reading the migrations: %s: %w", entry.Name(), err)
		}
		sql, err := fs.ReadFile(files, entry.Name())
		if err != nil {
			return nil, fmt.Errorf("reading the migrations: %w", err)
		}
		all = append(all, migration{number: number, name: entry.Name(), sql: string(sql)})
	}
	slices.SortFunc(all, func(a, b migration) int { return cmp.Compare(a.number, b.number) })
	for i := 1; i < len(all); i++ {
		if all[i].number == all[i-1].number {
			return nil, fmt.Errorf("reading the migrations: %s and %s have the same number", all[i-1].name, all[i].name)
		}
	}
	return all, nil
}
