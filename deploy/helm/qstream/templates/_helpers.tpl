{{/* Names. */}}
{{- define "qstream.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "qstream.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "qstream.labels" -}}
{{ include "qstream.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "qstream.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "qstream.name" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end -}}

{{- define "qstream.image" -}}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}

{{/* Secrets: those of the chart, or others that are there. */}}
{{- define "qstream.tokenSecret" -}}
{{- .Values.token.existingSecret | default (printf "%s-token" (include "qstream.name" .)) -}}
{{- end -}}

{{- define "qstream.tlsSecret" -}}
{{- .Values.tls.existingSecret | default (printf "%s-tls" (include "qstream.name" .)) -}}
{{- end -}}

{{- define "qstream.redisSecret" -}}
{{- .Values.redis.existingSecret | default (printf "%s-redis" (include "qstream.name" .)) -}}
{{- end -}}

{{/* The domain below which pods of a set have their names: (list . "head"). */}}
{{- define "qstream.domain" -}}
{{- $root := index . 0 -}}
{{- printf "%s-%s.%s.svc.%s" (include "qstream.name" $root) (index . 1) $root.Release.Namespace $root.Values.clusterDomain -}}
{{- end -}}

{{/* URLs of all heads, with commas. */}}
{{- define "qstream.heads" -}}
{{- $root := . -}}
{{- $heads := list -}}
{{- range $index := until (int .Values.head.replicas) -}}
{{- $heads = append $heads (printf "wss://%s-head-%d.%s:%d" (include "qstream.name" $root) $index (include "qstream.domain" (list $root "head")) (int $root.Values.head.port)) -}}
{{- end -}}
{{- join "," $heads -}}
{{- end -}}

{{- define "qstream.podSecurity" -}}
runAsNonRoot: true
runAsUser: 1000
runAsGroup: 1000
fsGroup: 1000
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "qstream.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* Words of a head or worker that let others in, and the files that they name. */}}
{{- define "qstream.security" -}}
- --token-file
- /etc/qstream/token/token
- --tls-cert
- /etc/qstream/tls/tls.crt
- --tls-key
- /etc/qstream/tls/tls.key
- --tls-ca
- /etc/qstream/tls/ca.crt
{{- end -}}

{{/* What a process shows that is asked for its health: the port wants to see a certificate. */}}
{{- define "qstream.health" -}}
- name: QSTREAM_HEALTH_CERT
  value: /etc/qstream/tls/tls.crt
- name: QSTREAM_HEALTH_KEY
  value: /etc/qstream/tls/tls.key
{{- end -}}

{{- define "qstream.securityMounts" -}}
- name: token
  mountPath: /etc/qstream/token
  readOnly: true
- name: tls
  mountPath: /etc/qstream/tls
  readOnly: true
- name: temporary
  mountPath: /tmp
{{- end -}}

{{- define "qstream.securityVolumes" -}}
- name: token
  secret:
    secretName: {{ include "qstream.tokenSecret" . }}
    defaultMode: 0440
- name: tls
  secret:
    secretName: {{ include "qstream.tlsSecret" . }}
    defaultMode: 0440
{{- end -}}

{{/* A change of what is in a Secret of the chart starts the pods anew. */}}
{{- define "qstream.podMetadata" -}}
annotations:
  checksum/secrets: {{ include (print .Template.BasePath "/secrets.yaml") . | sha256sum }}
  {{- with .Values.podAnnotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}
