package dagger

import "testing"

func TestBuildArgumentsAreNotInTheImage(t *testing.T) {
	const dockerfile = "ARG BASE=alpine\nFROM ${BASE}\nARG SERVICE DAEMON=x\nARG BOTH\nENV NAME=${SERVICE} \\\n  BOTH=$BOTH\nENV OLD style\n"
	got, err := withoutArgs([]byte(`{"config":{"Env":["PATH=/bin","SERVICE=a","DAEMON=b","BOTH=c","OLD=style","BASE=alpine","SERVICES=kept"]},"os":"linux"}`), []byte(dockerfile))
	want := `{"config":{"Env":["PATH=/bin","BOTH=c","OLD=style","SERVICES=kept"]},"os":"linux"}`
	if err != nil || string(got) != want {
		t.Errorf("%s (%v), want\n%s", got, err, want)
	}
	for _, config := range []string{`{"os":"linux"}`, `{"config":{"User":"1"}}`} {
		if got, err := withoutArgs([]byte(config), []byte(dockerfile)); err != nil || string(got) != config {
			t.Errorf("%s becomes %s (%v)", config, got, err)
		}
	}
}
