{{- define "penchant.name" -}}
{{- if contains "penchant" .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}{{ printf "%s-penchant" .Release.Name | trunc 50 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "penchant.selector" -}}
app.kubernetes.io/name: penchant
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "penchant.labels" -}}
{{ include "penchant.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "penchant.image" -}}
{{- with .Values.image }}
{{- if .digest }}{{ .repository }}@{{ .digest }}
{{- else }}{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{- define "penchant.claim" -}}
{{ .Values.store.existingClaim | default (include "penchant.name" .) }}
{{- end }}

{{- define "penchant.store" -}}
{{- if eq .Values.store.type "lmdb" }}lmdb:/var/lib/penchant/store
{{- else if .Values.store.passwordSecret }}{{ .Values.store.address }}{{ ternary "&" "?" (contains "?" .Values.store.address) }}password_env=PENCHANT_STORE_PASSWORD
{{- else }}{{ .Values.store.address }}
{{- end }}
{{- end }}

{{- define "penchant.restricted" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{- define "penchant.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- /* What every container of Penchant needs: a place to write, the store, its settings. */}}
{{- define "penchant.mounts" -}}
- {name: store, mountPath: /var/lib/penchant}
- {name: work, mountPath: /run/penchant}
- {name: temporary, mountPath: /tmp}
- {name: settings, mountPath: /etc/penchant/penchant.toml, subPath: penchant.toml, readOnly: true}
{{- if .Values.encoder.volume }}
- {name: encoder, mountPath: {{ .Values.encoder.path | quote }}, readOnly: true}
{{- end }}
{{- end }}

{{- define "penchant.volumes" -}}
- name: work
  emptyDir: {}
- name: temporary
  emptyDir: {}
- name: settings
  configMap:
    name: {{ include "penchant.name" . }}
{{- with .Values.encoder.volume }}
- name: encoder
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "penchant.environment" -}}
- {name: HOME, value: /tmp}
- {name: PENCHANT_CONFIG, value: /etc/penchant/penchant.toml}
- {name: OMP_NUM_THREADS, value: "1"}
- {name: OPENBLAS_NUM_THREADS, value: "1"}
{{- with .Values.store }}{{ if .passwordSecret }}
- name: PENCHANT_STORE_PASSWORD
  valueFrom:
    secretKeyRef: {name: {{ .passwordSecret }}, key: {{ .passwordKey }}}
{{- end }}{{ end }}
{{- /* Not as a file: a mounted secret is readable by the group of its volume, which is refused. */}}
{{- with .Values.pseudonyms }}{{ if .secret }}
- name: PENCHANT_PSEUDONYM_KEYS
  valueFrom:
    secretKeyRef: {name: {{ .secret }}, key: {{ .key }}}
{{- end }}{{ end }}
{{- end }}

{{- define "penchant.probe" -}}
exec:
  command:
    - penchant
    - probe
    - --target=127.0.0.1:8001
    - --timeout=2
    {{- if .Values.tls.secret }}
    - --serve-tls=/etc/penchant/tls
    {{- end }}
periodSeconds: {{ .Values.probes.periodSeconds }}
timeoutSeconds: {{ .Values.probes.timeoutSeconds }}
{{- end }}
