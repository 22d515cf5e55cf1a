package database

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func files(content map[string]string) fstest.MapFS {
	fs := fstest.MapFS{}
	for name, sql := range content {
		fs[name] = &fstest.MapFile{Data: []byte(sql)}
	}
	return fs
}

func TestMigrationsAreInNumericOrder(t *testing.T) {
	all, err := readMigrations(files(map[string]string{"10_c.sql": "C", "9_b.sql": "B", "0001_a.sql": "A"}))
	if err != nil {
		t.Fatal(err)
	}
	want := []migration{{1, "0001_a.sql", "A"}, {9, "9_b.sql", "B"}, {10, "10_c.sql", "C"}}
	if !slices.Equal(all, want) {
		t.Errorf("got %v", all)
	}
}

func TestMigrationsRefused(t *testing.T) {
	for says, names := range map[string][2]string{
		"1_a.sql and 0001_b.sql have the same number": {"1_a.sql", "0001_b.sql"},
		"notes.sql is not named like":                 {"1_a.sql", "notes.sql"},
	} {
		_, err := readMigrations(files(map[string]string{names[0]: "", names[1]: ""}))
		if err == nil {
			t.Errorf("%v: accepted", names)
			continue
		}
		swapped := strings.Replace(says, "1_a.sql and 0001_b.sql", "0001_b.sql and 1_a.sql", 1)
		if !strings.Contains(err.Error(), says) && !strings.Contains(err.Error(), swapped) {
			t.Errorf("%v: %v", names, err)
		}
	}
}

func TestOwnMigrationsAreReadable(t *testing.T) {
	all, err := readMigrations(Migrations())
	if err != nil || len(all) == 0 || all[0].name != "0001_create_notes.sql" {
		t.Errorf("%v, %v", all, err)
	}
}
