package notification

import (
	"strings"
	"testing"
)

func TestLines(t *testing.T) {
	alert := func(status, name, severity, summary, description string) Alert {
		return Alert{status, map[string]string{"alertname": name, "severity": severity}, map[string]string{"summary": summary, "description": description}}
	}
	for _, test := range []struct {
		given Notification
		want  string
	}{
		{Notification{Alerts: []Alert{
			alert("firing", "RestartLoop", "warning", "prod_backend keeps ending", "see\n deploy:logs"),
			alert("resolved", "ServiceDown", "critical", "prod_ping does not run", "see deploy:status"),
			alert("firing", "DiskFull", "", "", ""),
		}, TruncatedAlerts: 2}, `Alerts: 2 firing, 1 over
🔥 DiskFull
🔥 RestartLoop (warning): prod_backend keeps ending
   see deploy:logs
✅ over: ServiceDown (critical): prod_ping does not run
and 2 more, which Alertmanager left out`},
		{Notification{Alerts: []Alert{{Status: "resolved"}}}, "Alerts: 1 over\n✅ over: an alert without a name"},
	} {
		if got := strings.Join(test.given.Lines(), "\n"); got != test.want {
			t.Errorf("got\n%s\nwant\n%s", got, test.want)
		}
	}
}
