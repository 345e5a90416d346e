#!/bin/sh
# Checks what is in deploy/ as far as that goes without a container engine or a Kubernetes: each part by the tool for it, where that is
# on PATH. Without it the part is skipped and said so; CHECK_ALL=1 makes that a failure.
#
#   deploy/check.sh            check
#   deploy/check.sh --render   write deploy/helm/rendered.yaml anew, which spec/deploy/helm.spec.ts looks at
#
# How to get the tools: docs/deploy.md.
set -eu
cd "$(dirname "$0")/.."

kubernetes=1.30
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
has() { command -v "$1" > /dev/null 2>&1; }
say() { printf '%-12s %s\n' "$1" "$2"; }
skip() {
  say "$1" "skipped: needs $2"
  if [ "${CHECK_ALL:-}" = 1 ]; then failed=1; fi
}
# check NAME COMMAND...: quiet where it goes well.
check() {
  name=$1
  shift
  if "$@" > "$work/output" 2>&1; then say "$name" ok; else
    say "$name" failed
    cat "$work/output" >&2
    failed=1
  fi
}

# The values that are rendered: those that have no default, with words that are no secret of anybody.
render() {
  helm template example deploy/helm/qstream --namespace flows --kube-version "$kubernetes.0" \
    --set token.value=example-token-0123456789 --set redis.password=example-password \
    --set tls.cert=certificate,tls.key=key,tls.ca=authority "$@"
}
# The same as in spec/deploy/helm.spec.ts: the contents of the chart's files, in the order of their paths.
hash_of_chart() {
  (cd deploy/helm/qstream && find . -type f | LC_ALL=C sort | while read -r file; do cat "$file"; done) | sha256sum | cut -d ' ' -f 1
}
rendered() {
  printf '# What deploy/helm/qstream becomes: written by deploy/check.sh --render.\n# chart: %s\n' "$(hash_of_chart)"
  render
}

if [ "${1:-}" = --render ]; then
  rendered > "$work/rendered.yaml"
  mv "$work/rendered.yaml" deploy/helm/rendered.yaml
  exit 0
fi

if has shellcheck; then check scripts shellcheck deploy/certificates.sh deploy/check.sh; else
  check scripts sh -n deploy/certificates.sh
  skip scripts shellcheck
fi

if has openssl; then
  check certificates deploy/certificates.sh "$work/secrets" head,localhost,127.0.0.1 worker-1 worker-2 client \
    '*.example-qstream-head.flows.svc.cluster.local,*.example-qstream-worker.flows.svc.cluster.local'
  check certificates openssl verify -CAfile "$work/secrets/ca.crt" -purpose sslserver -verify_hostname localhost "$work/secrets/head.crt"
  check certificates openssl verify -CAfile "$work/secrets/ca.crt" -purpose sslclient "$work/secrets/client.crt"
else
  skip certificates openssl
fi

# compose-go is what docker compose reads its files with; it takes no variables from the environment.
if docker compose version > /dev/null 2>&1; then
  check compose env REDIS_PASSWORD=example docker compose -f deploy/compose.yaml config --quiet
elif has compose-go; then
  mkdir -p "$work/deploy"
  sed 's/:?[^}]*}/}/' deploy/compose.yaml > "$work/deploy/compose.yaml"
  check compose compose-go "$work/deploy/compose.yaml"
else
  skip compose "docker compose or compose-go"
fi

if docker buildx version > /dev/null 2>&1; then check Dockerfile docker buildx build --check -f deploy/Dockerfile .; else
  skip Dockerfile "docker buildx"
fi

if has systemd-analyze; then
  for unit in head worker; do
    # Node and QStream are in their places on the machines that these units are for.
    sed "s#^ExecStart=/usr/bin/node#ExecStart=/bin/true#" "deploy/systemd/qstream-$unit.service" > "$work/qstream-$unit.service"
    check systemd systemd-analyze verify --man=no "$work/qstream-$unit.service"
  done
else
  skip systemd systemd-analyze
fi

if has helm; then
  check chart helm lint --strict --kube-version "$kubernetes.0" deploy/helm/qstream --set token.value=example-token-0123456789 \
    --set redis.password=example --set tls.cert=certificate,tls.key=key,tls.ca=authority
  mkdir "$work/rendered"
  rendered > "$work/rendered/defaults.yaml"
  check rendered diff deploy/helm/rendered.yaml "$work/rendered/defaults.yaml"
  render --set redis.enabled=false,redis.externalUrl=rediss://flows:secret@redis.example.org:6380/0 \
    --set worker.autoscaling.enabled=false,worker.tags='{gpu,large}',worker.memory=2GB,networkPolicy.enabled=false \
    > "$work/rendered/external-redis.yaml"
  helm template other deploy/helm/qstream --kube-version "$kubernetes.0" --set token.existingSecret=a,tls.existingSecret=b \
    --set redis.existingSecret=c,serviceAccount.create=false,head.replicas=3,redis.maxmemory=512mb \
    --set head.extraArgs='{--rebalance,--executions=32}',worker.extraArgs='{--has=/srv/data}' \
    --set worker.terminationGracePeriodSeconds=600 > "$work/rendered/existing-secrets.yaml"
  for word in --rebalance --executions=32 --has=/srv/data 590000 512mb; do
    check values grep -qE -e "^ +- \"?$word\"?\$" "$work/rendered/existing-secrets.yaml"
  done
  # A typing error in a value is said, and not passed over.
  check schema sh -c "! helm template x deploy/helm/qstream --set worker.slot=4 > '$work/wrong' 2>&1 && grep -q worker '$work/wrong'"
  if has kubectl-validate; then check objects kubectl-validate --version "$kubernetes" "$work/rendered"; else
    skip objects kubectl-validate
  fi
else
  skip chart helm
fi
exit "$failed"
