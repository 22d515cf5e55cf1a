package release

import (
	"testing"
	"time"

	"github.com/moby/moby/api/types/swarm"
)

// The label wins over the record, since a deploy that changes nothing writes no record.
func TestAReviewAppsEndIsTheLabels(t *testing.T) {
	at := time.Date(2024, 7, 25, 12, 0, 0, 0, time.UTC)
	for label, want := range map[string]time.Time{
		"2024-07-26T12:00:00Z": at.AddDate(0, 0, 1),
		"":                     at,
		"tomorrow":             at,
	} {
		r := record(1)
		r.Review = &Review{From: "dev", Expires: at}
		c := kept(t, r, Done)
		c.Spec.Labels[labelExpires] = label
		entries, _ := Entries([]swarm.Config{c}, r.Stack)
		if got := entries[0].Review; got == nil || got.From != "dev" || !got.Expires.Equal(want) {
			t.Errorf("%q: %+v, want %s", label, got, want)
		}
	}
	c := kept(t, record(1), Done)
	c.Spec.Labels[labelExpires] = at.Format(time.RFC3339)
	if entries, _ := Entries([]swarm.Config{c}, record(1).Stack); entries[0].Review != nil {
		t.Error("a label alone has made a review app of a stack that is none")
	}
}
