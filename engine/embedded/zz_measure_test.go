package embedded
import ("testing";"time";"os";"fmt";"strings";"github.com/moby/buildkit/client/llb")
func TestZZMeasure(t *testing.T){
 o:=options(t); a:=time.Now(); s:=started(t,o); t.Log("first start", time.Since(a))
 a=time.Now(); s2,err:=Start(t.Context(),o); must(t,err); t.Log("second start", time.Since(a)); s2.Close()
 rss:=func()string{ d,_:=os.ReadFile(fmt.Sprintf("/proc/%d/status",s.PID)); for l:=range strings.Lines(string(d)){ if strings.HasPrefix(l,"VmRSS"){return strings.TrimSpace(l)}}; return ""}
 t.Log("idle", rss())
 c:=connect(t,s); root,m:=shell(t)
 for i:=range 20 { a=time.Now(); _,err:=solve(t.Context(),t,c,root.Run(llb.Args([]string{"/bin/sh","-c",fmt.Sprint("echo >/x",i)})).Root(),m); must(t,err); if i==19 {t.Log("one exec build",time.Since(a))} }
 t.Log("after 20 builds", rss())
}
