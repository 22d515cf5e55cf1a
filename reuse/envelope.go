package reuse

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
)

// MaxEnvelope is above what any entry has, in bytes: the largest part is an image's config.
const MaxEnvelope = 1 << 20

// payloadType is in-toto's, in a DSSE envelope
// (https://github.com/in-toto/attestation/blob/main/spec/v1/envelope.md).
const payloadType = "application/vnd.in-toto+json"

// Seal signs an entry: the result is a DSSE envelope in JSON.
func (e *Entry) Seal(ctx context.Context, key *PrivateKey) ([]byte, error) {
	body, err := e.Statement()
	if err != nil {
		return nil, err
	}
	signer, err := dsse.NewEnvelopeSigner(key.key)
	if err != nil {
		return nil, fmt.Errorf("signing what was built of %s: %w", e.Service, err)
	}
	envelope, err := signer.SignPayload(ctx, payloadType, body)
	if err != nil {
		return nil, fmt.Errorf("signing what was built of %s: %w", e.Service, err)
	}
	out, err := json.Marshal(envelope)
	if err == nil && len(out) > MaxEnvelope {
		err = fmt.Errorf("what is to be signed of %s is larger than %d KiB", e.Service, MaxEnvelope>>10)
	}
	return out, err
}

// Open gives the entry of an envelope that one of the trusted keys signed, and that key. Errors
// say what is wrong with it, for a sentence that names it.
func Open(ctx context.Context, envelope []byte, trusted []PublicKey) (*Entry, PublicKey, error) {
	if len(envelope) > MaxEnvelope {
		return nil, PublicKey{}, fmt.Errorf("it is larger than %d KiB", MaxEnvelope>>10)
	}
	var env dsse.Envelope
	dec := json.NewDecoder(bytes.NewReader(envelope))
	if err := dec.Decode(&env); err != nil || dec.More() {
		return nil, PublicKey{}, errors.New("it is damaged: no signed envelope can be read from it")
	}
	switch {
	case len(env.Signatures) == 0:
		return nil, PublicKey{}, errors.New("it is not signed")
	case env.PayloadType != payloadType:
		return nil, PublicKey{}, fmt.Errorf("what is signed is of another kind (%q)", env.PayloadType)
	case len(env.Signatures) > 16:
		return nil, PublicKey{}, errors.New("it has more signatures than anybody needs")
	}
	for _, k := range trusted {
		verifier, err := dsse.NewEnvelopeVerifier(k.key)
		if err != nil {
			return nil, PublicKey{}, err
		}
		_, body, err := verifier.VerifyAndDecode(ctx, &env)
		if err != nil {
			continue
		}
		e, err := read(body)
		return e, k, err
	}
	return nil, PublicKey{}, unsigned(env.Signatures, trusted)
}

// unsigned says why no signature is believed.
func unsigned(signatures []dsse.Signature, trusted []PublicKey) error {
	for _, s := range signatures {
		for _, k := range trusted {
			if s.KeyID == k.ID {
				return fmt.Errorf("its signature by the trusted key %s does not match what it says", k.Short())
			}
		}
	}
	return fmt.Errorf("it is signed by no key that is trusted here (it names the key %q)", short(signatures[0].KeyID))
}
