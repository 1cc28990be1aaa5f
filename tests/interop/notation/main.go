// Sign and verify with notation-go, the library of the notation CLI: tests/interop/test_notation.py runs it.
//
//	notation sign KEY.pem CHAIN.pem MEDIA-TYPE REFERENCE
//	notation verify CONFIG REFERENCE              each signature of an artifact in a registry
//	notation verify CONFIG REFERENCE LAYOUT       the same, as they are in an OCI image layout
//
// CONFIG is a folder as notation's own, with trustpolicy.json and truststore. It writes a line for each signature: its
// digest and "verified", or why not. It ends with 1 unless there is one and all are verified.
package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/notaryproject/notation-core-go/signature/cose"
	"github.com/notaryproject/notation-core-go/signature/jws"
	"github.com/notaryproject/notation-go"
	"github.com/notaryproject/notation-go/dir"
	"github.com/notaryproject/notation-go/registry"
	"github.com/notaryproject/notation-go/signer"
	"github.com/notaryproject/notation-go/verifier"
	"github.com/notaryproject/notation-go/verifier/trustpolicy"
	"github.com/notaryproject/notation-go/verifier/truststore"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/credentials"
	"oras.land/oras-go/v2/registry/remote/retry"
)

var formats = map[string]bool{jws.MediaTypeEnvelope: true, cose.MediaTypeEnvelope: true}

func main() {
	arguments := os.Args[1:]
	var err error
	switch {
	case len(arguments) == 5 && arguments[0] == "sign" && formats[arguments[3]]:
		err = sign(arguments[1], arguments[2], arguments[3], arguments[4])
	case len(arguments) == 3 && arguments[0] == "verify":
		err = verify(arguments[1], arguments[2], "")
	case len(arguments) == 4 && arguments[0] == "verify":
		err = verify(arguments[1], arguments[2], arguments[3])
	default:
		err = fmt.Errorf("usage: notation sign KEY CHAIN TYPE REFERENCE, or: notation verify CONFIG REFERENCE [LAYOUT]")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func sign(key, chain, mediaType, reference string) error {
	repository, err := open(reference)
	if err != nil {
		return err
	}
	local, err := signer.NewGenericSignerFromFiles(key, chain)
	if err != nil {
		return err
	}
	_, err = notation.Sign(context.Background(), local, repository, notation.SignOptions{
		SignerSignOptions: notation.SignerSignOptions{SignatureMediaType: mediaType},
		ArtifactReference: reference,
		UserMetadata:      map[string]string{"tool": "notation-go"},
	})
	return err
}

func verify(config, reference, layout string) error {
	ctx := context.Background()
	dir.UserConfigDir = config
	policy, err := trustpolicy.LoadDocument()
	if err != nil {
		return err
	}
	if err := policy.Validate(); err != nil {
		return err
	}
	checker, err := verifier.New(policy, truststore.NewX509TrustStore(dir.ConfigFS()), nil)
	if err != nil {
		return err
	}
	repository, err := openEither(reference, layout)
	if err != nil {
		return err
	}
	artifact, err := repository.Resolve(ctx, reference[strings.LastIndex(reference, "@")+1:])
	if err != nil {
		return err
	}
	seen, failed := 0, 0
	err = repository.ListSignatures(ctx, artifact, func(manifests []ocispec.Descriptor) error {
		for _, manifest := range manifests {
			seen++
			raw, envelope, err := repository.FetchSignatureBlob(ctx, manifest)
			if err == nil {
				_, err = checker.Verify(ctx, artifact, raw, notation.VerifierVerifyOptions{
					ArtifactReference: reference, SignatureMediaType: envelope.MediaType,
				})
			}
			if err != nil {
				failed++
				fmt.Println(manifest.Digest, err)
				continue
			}
			fmt.Println(manifest.Digest, "verified")
		}
		return nil
	})
	if err == nil && (seen == 0 || failed > 0) {
		err = fmt.Errorf("%d of %d signatures are not verified", failed, seen)
	}
	return err
}

func openEither(reference, layout string) (registry.Repository, error) {
	if layout != "" {
		return registry.NewOCIRepository(layout, registry.RepositoryOptions{})
	}
	return open(reference)
}

func open(reference string) (registry.Repository, error) {
	repository, err := remote.NewRepository(reference)
	if err != nil {
		return nil, err
	}
	store, err := credentials.NewStoreFromDocker(credentials.StoreOptions{})
	if err != nil {
		return nil, err
	}
	repository.PlainHTTP = strings.HasPrefix(reference, "localhost:")
	repository.Client = &auth.Client{Client: retry.DefaultClient, Credential: credentials.Credential(store)}
	return registry.NewRepository(repository), nil
}
