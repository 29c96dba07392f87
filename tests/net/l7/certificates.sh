# shellcheck shell=bash
# Certificates of the tests: an authority, servers, clients, one of them revoked; made new each time.

# make_certificates FOLDER: ca.pem, other-ca.pem; server.pem (www.example.com), sni.pem (api.example.com),
# client.pem, revoked.pem: certificate and key in one; crl.pem; web.p12
make_certificates() {
  local folder=$1 name
  (
    cd "$folder" || exit 1
    for name in ca other-ca; do
      openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=$name" \
        -keyout $name.key -out $name.pem
    done
    certificate server /CN=www.example.com www.example.com
    certificate sni /CN=api.example.com api.example.com
    certificate client "/O=Tests/OU=good/CN=client one" client.example.com
    certificate revoked "/O=Tests/OU=bad/CN=client two" revoked.example.com
    openssl pkcs12 -export -passout pass: -in server.pem -out web.p12
    : >index.txt
    printf '[ca]\ndefault_ca = it\n[it]\ndatabase = index.txt\ndefault_md = sha256\n' >ca.conf
    openssl ca -config ca.conf -keyfile ca.key -cert ca.pem -revoke revoked.pem
    openssl ca -config ca.conf -keyfile ca.key -cert ca.pem -gencrl -crldays 30 -out crl.pem
  ) >"$folder/openssl.log" 2>&1 || die "openssl: $(tail -n 5 "$folder/openssl.log")"
}

certificate() { # NAME SUBJECT DNS-NAME
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "$2" -keyout "$1.key" -out "$1.csr" &&
    openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 \
      -extfile <(echo "subjectAltName=DNS:$3") -out "$1.crt" &&
    cat "$1.crt" "$1.key" >"$1.pem"
}
