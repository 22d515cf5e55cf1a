package doctor

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"time"
)

const (
	// soonCA is how long before its end the Swarm's authority is named: all nodes have to follow.
	soonCA = 90 * 24 * time.Hour
	// soon is for all others. What is renewed by itself is so 30 days before its end.
	soon = 21 * 24 * time.Hour
)

// authority looks at what the Swarm's own certificates rest on. Those of nodes are renewed by the
// nodes themselves.
func authority(f Facts) (out []Finding) {
	for _, c := range parsePEM([]byte(f.Cluster.TLSInfo.TrustRoot)) {
		if left := c.NotAfter.Sub(f.Now); left < soonCA {
			out = append(out, Finding{Rule: "authority", Object: "swarm",
				What: fmt.Sprintf("the certificate of the Swarm's own authority %s", ends(c.NotAfter, f.Now)),
				Why:  "after that no node trusts another, and the Swarm falls apart",
				Do:   "on a manager: docker swarm ca --rotate. Tokens for joining are new after that"})
		}
	}
	if f.Cluster.RootRotationInProgress {
		out = append(out, Finding{Rule: "authority", Object: "swarm",
			What: "the Swarm is changing its authority, and has not finished",
			Why:  "it ends only once every node has a new certificate: one that is down holds it up",
			Do:   "start the nodes that are down (docker node ls), or remove those that are gone for good: docker node rm --force NODE"})
	}
	return out
}

// certificates looks at those that services show, and those in configs that services use. What is
// in a secret cannot be read.
func certificates(f Facts) (out []Finding) {
	for _, s := range f.Served {
		if s.Leaf.NotAfter.Sub(f.Now) < soon {
			out = append(out, Finding{Rule: "certificates", Object: s.Service,
				What: fmt.Sprintf("the certificate that %s shows on port %d (for %s) %s", s.Service, s.Port, subject(s.Leaf), ends(s.Leaf.NotAfter, f.Now)),
				Why:  "browsers and other clients refuse it then",
				Do:   "renew it; where it is a secret: mage secret:rotate ENV NAME -file=NEW"})
		}
	}
	used := referred(f)
	for _, c := range f.State.Configs {
		for _, cert := range parsePEM(c.Spec.Data) {
			if used[c.ID] && cert.NotAfter.Sub(f.Now) < soon {
				out = append(out, Finding{Rule: "certificates", Object: c.Spec.Name,
					What: fmt.Sprintf("the certificate in the config %s (for %s) %s", c.Spec.Name, subject(cert), ends(cert.NotAfter, f.Now)),
					Why:  "a service uses it",
					Do:   "put the new one into its file, and deploy"})
			}
		}
	}
	return out
}

func subject(c *x509.Certificate) string {
	if len(c.DNSNames) > 0 {
		return c.DNSNames[0]
	}
	return c.Subject.CommonName
}

func ends(at, now time.Time) string {
	day := at.UTC().Format("2006-01-02")
	if at.Before(now) {
		return "has expired on " + day
	}
	return fmt.Sprintf("expires on %s, in %d days", day, int(at.Sub(now).Hours()/24))
}

// parsePEM finds the certificates in a text, and passes over all else.
func parsePEM(data []byte) (out []*x509.Certificate) {
	for {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			return out
		}
		if c, err := x509.ParseCertificate(block.Bytes); block.Type == "CERTIFICATE" && err == nil {
			out = append(out, c)
		}
	}
}
