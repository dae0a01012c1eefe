package iam

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/hex"
	"math/big"
	"net/http"
	"path"
	"strings"

	"github.com/crossregion/crossregion/local/cloud"
)

// algorithm4A signs for a set of regions, with a key pair in place of a shared
// secret.
const algorithm4A = "AWS4-ECDSA-P256-SHA256"

const headerRegionSet = "X-Amz-Region-Set"

// Signer is who signed a request, and what for.
type Signer struct {
	cloud.Caller
	// Service that the signature is for, e.g. "execute-api".
	Service string
	// KeyID is the ID of the access key.
	KeyID string
}

// VerifyIn checks a signature of version 4, as [Service.Verify] does, or of
// version 4A, in a region that is asked: version 4 must be for that region, and
// the region set of version 4A must hold it. What fails is a [cloud.APIError].
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html
func (s *Service) VerifyIn(region string, r *http.Request, body []byte) (Signer, error) {
	if scheme, _, _ := strings.Cut(r.Header.Get("Authorization"), " "); scheme == algorithm4A {
		return s.verify4A(region, r, body)
	}
	c, service, err := s.Verify(r, body)
	if err != nil {
		return Signer{}, err
	}
	if c.Region != region {
		return Signer{}, badSignature("Credential should be scoped to a valid region, not '%s'.", c.Region)
	}
	sig, err := readSignature(r, algorithm)
	keyID, _, _ := strings.Cut(sig.credential, "/")
	return Signer{Caller: c, Service: service, KeyID: keyID}, err
}

func (s *Service) verify4A(region string, r *http.Request, body []byte) (Signer, error) {
	sig, err := readSignature(r, algorithm4A)
	if err == nil {
		err = sig.readScope4A(region)
	}
	if err == nil {
		err = sig.check(r, s.clock.Now())
	}
	if err == nil && !inSet(region, r.Header.Get(headerRegionSet)) {
		err = badSignature("The region set of the signature does not hold %q.", region)
	}
	if err != nil {
		return Signer{}, err
	}
	holder, err := s.holder(sig.keyID, r.Header.Get(headerToken))
	if err != nil {
		return Signer{}, err
	}
	public, err := publicKey(holder.credentials)
	if err != nil {
		return Signer{}, err
	}
	scope := strings.Join([]string{sig.day, sig.service, terminator}, "/")
	text := strings.Join([]string{algorithm4A, sig.date, scope, hash([]byte(canonicalRequest(r, body, sig)))}, "\n")
	digest := sha256.Sum256([]byte(text))
	given, err := hex.DecodeString(sig.signature)
	if err != nil || !ecdsa.VerifyASN1(public, digest[:], given) {
		return Signer{}, badSignature("The request signature we calculated does not match the signature you provided.")
	}
	c := holder.caller
	c.Region = region
	return Signer{Caller: c, Service: sig.service, KeyID: sig.keyID}, nil
}

// readScope4A reads a scope, in which there is no region.
func (sig *signature) readScope4A(region string) error {
	scope := strings.Split(sig.credential, "/")
	if len(scope) != 4 || scope[3] != terminator {
		return incomplete("Credential must have exactly 4 slash-delimited elements, e.g. keyid/date/service/%s", terminator)
	}
	sig.keyID, sig.day, sig.region, sig.service = scope[0], scope[1], region, scope[2]
	return nil
}

// inSet reports whether a list of regions, in which '*' stands for anything,
// holds the region.
func inSet(region, set string) bool {
	for pattern := range strings.SplitSeq(set, ",") {
		if ok, err := path.Match(strings.TrimSpace(pattern), region); ok && err == nil {
			return true
		}
	}
	return false
}

// publicKey derives the key pair of an access key, of which only the public half
// is needed here: NIST SP 800-108 in counter mode over the secret yields
// candidates, and the first that is a private key less one is taken.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
func publicKey(c Credentials) (*ecdsa.PublicKey, error) {
	order := elliptic.P256().Params().N
	limit := new(big.Int).Sub(order, big.NewInt(2))
	for counter := byte(1); counter < 255; counter++ {
		input := bytes.Join([][]byte{{0, 0, 0, 1}, []byte(algorithm4A), {0}, []byte(c.AccessKeyID), {counter}, {0, 0, 1, 0}}, nil)
		candidate := new(big.Int).SetBytes(mac([]byte("AWS4A"+c.SecretAccessKey), string(input)))
		if candidate.Cmp(limit) > 0 {
			continue
		}
		private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), candidate.Add(candidate, big.NewInt(1)).FillBytes(make([]byte, 32)))
		if err != nil {
			return nil, err
		}
		return &private.PublicKey, nil
	}
	return nil, badSignature("No key can be derived from the access key.")
}
