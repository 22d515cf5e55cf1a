mkdir -p /go/src /go/bin
chmod 1777 /go /go/src /go/bin
