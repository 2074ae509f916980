{{- define "lading.name" -}}
{{- $name := .Release.Name -}}
{{- if not (contains "lading" $name) -}}{{- $name = printf "%s-lading" $name -}}{{- end -}}
{{- $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "lading.selector" -}}
app.kubernetes.io/name: lading
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "lading.labels" -}}
{{ include "lading.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | quote }}
{{- end -}}

{{- define "lading.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (ternary (include "lading.name" .) "default" .Values.serviceAccount.create) -}}
{{- end -}}

{{- define "lading.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}{{ .repository }}@{{ .digest }}{{- else -}}{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{- end -}}
{{- end -}}
{{- end -}}

{{/* A variable from a secret. Given: name of the variable, reference. */}}
{{- define "lading.secret" -}}
- name: {{ index . 0 }}
  valueFrom:
    secretKeyRef: {{ pick (index . 1) "name" "key" | toJson }}
{{- end -}}

{{/* What all pods share: who runs in them, and where. */}}
{{- define "lading.pod" -}}
serviceAccountName: {{ include "lading.serviceAccount" . }}
# Nothing here asks the API server.
automountServiceAccountToken: false
{{- with .Values.image.pullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 1000
  runAsGroup: 1000
  fsGroup: 1000
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: { type: RuntimeDefault }
{{- range $key, $value := pick .Values.pod "nodeSelector" "tolerations" "affinity" "topologySpreadConstraints" "priorityClassName" }}
{{- if $value }}
{{ $key }}: {{ toYaml $value | nindent 2 }}
{{- end }}
{{- end }}
{{- end -}}

{{/* What all containers share. */}}
{{- define "lading.container" -}}
image: {{ include "lading.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
{{- with .Values.envFrom }}
envFrom: {{ toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "lading.env" -}}
- { name: LADING_LOG_FORMAT, value: {{ .Values.logFormat | quote }} }
{{ include "lading.secret" (list "LADING_QUEUE" .Values.secrets.queue) }}
- name: LADING_MODEL
  value: {{ ternary (printf "/app/models/%s" .Values.model.name) .Values.model.name (ne .Values.model.configMap "") | quote }}
{{- with .Values.env }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "lading.mounts" -}}
- { name: tmp, mountPath: /tmp }
- { name: work, mountPath: /var/lib/lading }
{{- if .Values.model.configMap }}
- { name: models, mountPath: /app/models, readOnly: true }
{{- end }}
{{- end -}}

{{- define "lading.volumes" -}}
- { name: tmp, emptyDir: {} }
{{- with .Values.model.configMap }}
- name: models
  configMap: { name: {{ . | quote }} }
{{- end }}
{{- end -}}

{{- define "lading.podMetadata" -}}
labels:
  {{- include "lading.selector" (index . 0) | nindent 2 }}
  app.kubernetes.io/component: {{ index . 1 }}
  {{- with (index . 0).Values.pod.labels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with (index . 0).Values.pod.annotations }}
annotations: {{ toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "lading.isScaled" -}}
{{- if or .Values.scaling.rabbitmq.enabled .Values.scaling.sqs.enabled -}}yes{{- end -}}
{{- end -}}
