#!/usr/bin/env python3
"""TERMINATED_HTTPS as clients find it: names, versions, ciphers, protocols, client certificates, revocation,
HSTS; rules on the connection's own facts; members reached by TLS."""
import itertools

from lab import *

M1, M2 = os.environ["LAB_M1"], os.environ["LAB_M2"]
TLS = ssl.TLSVersion


def certificate_of(context, name):
    with socket.create_connection((VIP, 443), timeout=10) as raw, \
            context.wrap_socket(raw, server_hostname=name) as connection:
        return dict(part[0] for part in connection.getpeercert()["subject"])["commonName"]


def listener(**more):
    return {"name": "tls", "protocol": "TERMINATED_HTTPS", "protocol_port": 443,
            "default_tls_container_ref": "server.pem", "default_pool": pool("web", [member(M1)]), **more}


def change(ids, **fields):
    lbaas("PUT", f"listeners/{ids['tls']}", {"listener": fields})


def names_and_versions():
    ids = create("names", [listener(sni_container_refs=["sni.pem"], insert_headers={
        "X-Forwarded-For": "true", "X-Forwarded-Port": "true", "X-Forwarded-Proto": "true"})])
    context = tls_context()
    equal("the default certificate", certificate_of(context, "www.example.com"), "www.example.com")
    equal("the one of the name asked for", certificate_of(context, "api.example.com"), "api.example.com")
    seen = ask(443, tls=context).seen
    equal("X-Forwarded-Proto", seen["headers"].get("x-forwarded-proto"), "https")
    equal("X-Forwarded-Port", seen["headers"].get("x-forwarded-port"), "443")
    equal("X-Forwarded-For", seen["headers"].get("x-forwarded-for"), os.environ["LAB_CLIENT"])
    for version, good in ((TLS.TLSv1_1, False), (TLS.TLSv1_2, True), (TLS.TLSv1_3, True)):
        context = tls_context(minimum_version=version, maximum_version=version)
        if version < TLS.TLSv1_2:
            context.set_ciphers("DEFAULT@SECLEVEL=0")
        if good:
            equal(f"{version.name} by default", ask(443, tls=context).status, 200)
        else:
            refused(f"{version.name} by default", lambda: ask(443, tls=context))
    only = lambda version: tls_context(minimum_version=version, maximum_version=version)
    change(ids, tls_versions=["TLSv1.3"])
    refused("TLS 1.2 where only 1.3 is", lambda: ask(443, tls=only(TLS.TLSv1_2)))
    equal("TLS 1.3 where only 1.3 is", ask(443, tls=only(TLS.TLSv1_3)).status, 200)
    change(ids, tls_versions=["TLSv1.2"], tls_ciphers="ECDHE-ECDSA-AES256-GCM-SHA384")
    refused("TLS 1.3 where only 1.2 is", lambda: ask(443, tls=only(TLS.TLSv1_3)))
    with socket.create_connection((VIP, 443), timeout=10) as raw, \
            tls_context().wrap_socket(raw, server_hostname="www.example.com") as connection:
        equal("the cipher of the listener", connection.cipher()[0], "ECDHE-ECDSA-AES256-GCM-SHA384")
    context = only(TLS.TLSv1_2)
    context.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")
    refused("another cipher", lambda: ask(443, tls=context))
    change(ids, tls_versions=None, tls_ciphers=None)
    say("names, versions, ciphers, X-Forwarded-*")

    def protocol(*offered):
        context = tls_context()
        context.set_alpn_protocols(list(offered))
        with socket.create_connection((VIP, 443), timeout=10) as raw, \
                context.wrap_socket(raw, server_hostname="www.example.com") as connection:
            return connection.selected_alpn_protocol()
    equal("HTTP/2 is preferred", protocol("http/1.1", "h2"), "h2")
    change(ids, alpn_protocols=["http/1.1"])
    equal("unless the listener has it not", protocol("http/1.1", "h2"), "http/1.1")
    change(ids, alpn_protocols=["h2", "http/1.1"])
    status, text = run("curl", "-s", "--http2", "-o", "/dev/null", "-w", "%{http_version} %{http_code}", "--cacert",
                       f"{FOLDER}/ca.pem", "--resolve", f"www.example.com:443:{VIP}", "https://www.example.com/")
    equal("a request over HTTP/2", (status, text), (0, "2 200"))
    change(ids, hsts_max_age=31536000, hsts_include_subdomains=True, hsts_preload=True)
    hsts = ask(443, tls=tls_context()).headers["Strict-Transport-Security"] or ""
    equal("HSTS", sorted(part.strip() for part in hsts.split(";") if part.strip()),
          ["includeSubDomains", "max-age=31536000", "preload"])
    change(ids, hsts_max_age=None, hsts_include_subdomains=False, hsts_preload=False)
    equal("no HSTS any more", ask(443, tls=tls_context()).headers["Strict-Transport-Security"], None)
    change(ids, default_tls_container_ref="web.p12", sni_container_refs=[])
    equal("a PKCS#12 bundle", certificate_of(tls_context(), "www.example.com"), "www.example.com")
    remove(ids["names"])
    say("ALPN, HTTP/2, HSTS, PKCS#12")


def client_certificates():
    ids = create("clients", [listener(
        client_ca_tls_container_ref="ca.pem", client_authentication="MANDATORY",
        insert_headers={name: "true" for name in ("X-SSL-Client-Verify", "X-SSL-Client-Has-Cert", "X-SSL-Client-DN",
                                                  "X-SSL-Client-CN", "X-SSL-Issuer", "X-SSL-Client-SHA1",
                                                  "X-SSL-Client-Not-Before", "X-SSL-Client-Not-After")})],
                 [pool("other", [member(M2)])])
    good, bad, none = (tls_context(client=name) for name in ("client.pem", "revoked.pem", None))
    headers = ask(443, tls=good).seen["headers"]
    equal("X-SSL-Client-Verify", headers.get("x-ssl-client-verify"), "0")
    equal("X-SSL-Client-CN", headers.get("x-ssl-client-cn"), "client one")
    equal("X-SSL-Client-Has-Cert", headers.get("x-ssl-client-has-cert"), "1")
    for name in ("dn", "sha1", "not-before", "not-after"):
        check(f"X-SSL-Client-{name}", headers.get(f"x-ssl-client-{name}"))
    check("X-SSL-Issuer", "ca" in headers.get("x-ssl-issuer", ""))
    refused("no certificate where one must be", lambda: ask(443, tls=none))
    equal("a revoked one, nobody looks", ask(443, tls=bad).status, 200)
    said = call("PUT", f"/v2.0/lbaas/listeners/{ids['tls']}", {"listener": {
        "client_ca_tls_container_ref": "other-ca.pem", "client_crl_container_ref": "crl.pem"}}, (400,))["faultstring"]
    check("a CRL of another CA is refused", "The CRL specified is not valid" in said, said)
    change(ids, client_crl_container_ref="crl.pem")
    refused("a revoked one", lambda: ask(443, tls=bad))
    equal("one that is not revoked", ask(443, tls=good).status, 200)
    change(ids, client_authentication="OPTIONAL")
    headers = ask(443, tls=none).seen["headers"]
    equal("no certificate where one may be", headers.get("x-ssl-client-has-cert"), "0")
    refused("a revoked one still", lambda: ask(443, tls=bad))
    say("client certificates: mandatory, optional, revoked; X-SSL-*")

    # Rules on the client's certificate.
    change(ids, client_crl_container_ref=None)
    kinds = [("SSL_CONN_HAS_CERT", "EQUAL_TO", {"value": "True"}, good, none),
             ("SSL_VERIFY_RESULT", "EQUAL_TO", {"value": "0"}, good, None)]
    dn = {"EQUAL_TO": "good", "STARTS_WITH": "goo", "ENDS_WITH": "ood", "CONTAINS": "oo", "REGEX": "^g[o]+d$"}
    kinds += [("SSL_DN_FIELD", compare, {"key": "OU", "value": value}, good, bad) for compare, value in dn.items()]
    actions = {"REJECT": ({}, 403), "REDIRECT_TO_URL": ({"redirect_url": "https://www.example.org/"}, 302),
               "REDIRECT_PREFIX": ({"redirect_prefix": "https://www.example.org", "redirect_http_code": 308}, 308),
               "REDIRECT_TO_POOL": ({"redirect_pool_id": ids["other"]}, "m2")}

    def outcome(client):
        answer = ask(443, tls=client)
        return answer.seen["name"] if answer.status == 200 else answer.status
    for (kind, compare, rule, match, other), action in itertools.product(kinds, actions):
        fields, want = actions[action]
        made = lbaas("POST", "l7policies", {"l7policy": {"listener_id": ids["tls"], "action": action, **fields}})["l7policy"]
        lbaas("POST", f"l7policies/{made['id']}/rules", {"rule": {"type": kind, "compare_type": compare, **rule}})
        equal(f"{action} {kind} {compare}", outcome(match), want)
        if other:
            equal(f"{action} {kind} {compare}, another client", outcome(other), "m1")
        lbaas("DELETE", f"l7policies/{made['id']}")
    remove(ids["clients"])
    say("rules on the client's certificate")


def members_by_tls():
    more = {"tls_enabled": True, "ca_tls_container_ref": "ca.pem", "tls_container_ref": "client.pem"}
    ids = create("members", [listener(default_pool=pool("web", [member(M1, 8443)], **more))])
    seen = ask(443, tls=tls_context(), name="www.example.com").seen
    equal("the member saw our certificate", seen["client_certificate"].get("commonName"), "client one")
    lbaas("PUT", f"pools/{ids['web']}", {"pool": {"ca_tls_container_ref": "other-ca.pem"}})
    equal("a member that our authorities do not know", ask(443, tls=tls_context()).status, 503)
    lbaas("PUT", f"pools/{ids['web']}", {"pool": {"ca_tls_container_ref": None, "tls_container_ref": None}})
    seen = ask(443, tls=tls_context()).seen
    equal("without authorities nobody looks, and we have no certificate", seen["client_certificate"], {})
    remove(ids["members"])
    say("members by TLS")


def refusals():
    def attempt(**more):
        answer = call("POST", "/v2.0/lbaas/loadbalancers", {"loadbalancer": {
            "name": "bad", "vip_address": VIP, "listeners": [listener(**more)]}}, expect=(400,))
        return answer["faultstring"]
    check("a reference that is nobody's", "nobody.pem" in attempt(default_tls_container_ref="nobody.pem"))
    check("no certificate at all", attempt(default_tls_container_ref=None))
    check("authorities are no identity", "ca.pem" in attempt(default_tls_container_ref="ca.pem"))
    check("client authentication without authorities", attempt(client_authentication="MANDATORY"))
    for name, content in (("nonsense.pem", b"nonsense"),
                          ("mismatch.pem", open(f"{FOLDER}/server.crt", "rb").read() + open(f"{FOLDER}/sni.key", "rb").read())):
        answer = call("PUT", f"/v1/certificates/{name}", content, expect=(400,))
        check(f"{name} is refused by name", name in answer["faultstring"], answer["faultstring"])
    equal("nothing was made", call("GET", "/v2.0/lbaas/loadbalancers")["loadbalancers"], [])
    say("what cannot be served is refused by name")


for name in ("server.pem", "sni.pem", "ca.pem", "other-ca.pem", "client.pem", "crl.pem", "web.p12"):
    upload(name)
names_and_versions()
client_certificates()
members_by_tls()
refusals()
