package notes

import (
	"context"
	"slices"
	"time"
)

// fake is a Store in memory; err, where it is set, is what each call gives.
type fake struct {
	notes []Note
	err   error
}

var _ Store = (*fake)(nil)

func (f *fake) Create(_ context.Context, d Draft) (Note, error) {
	if f.err != nil {
		return Note{}, f.err
	}
	n := Note{ID: int64(len(f.notes) + 1), Title: d.Title, Body: d.Body, CreatedAt: time.Unix(0, 0).UTC()}
	f.notes = append(f.notes, n)
	return n, nil
}

func (f *fake) at(id int64) (int, error) {
	i := slices.IndexFunc(f.notes, func(n Note) bool { return n.ID == id })
	switch {
	case f.err != nil:
		return 0, f.err
	case i < 0:
		return 0, ErrNotFound
	}
	return i, nil
}

func (f *fake) Get(_ context.Context, id int64) (Note, error) {
	i, err := f.at(id)
	if err != nil {
		return Note{}, err
	}
	return f.notes[i], nil
}

func (f *fake) List(_ context.Context, limit, offset int) ([]Note, error) {
	newest := slices.Clone(f.notes)
	slices.Reverse(newest)
	from := min(offset, len(newest))
	return newest[from:min(from+limit, len(newest))], f.err
}

func (f *fake) Delete(_ context.Context, id int64) error {
	i, err := f.at(id)
	if err != nil {
		return err
	}
	f.notes = slices.Delete(f.notes, i, i+1)
	return nil
}
