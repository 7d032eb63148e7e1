{{/* The name that all objects begin with: the release's. */}}
{{- define "tenuto.name" -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* Labels that never change: selectors use them. Called with a dict: root, component ("" for none). */}}
{{- define "tenuto.selector" -}}
app.kubernetes.io/name: tenuto
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- with .component }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end -}}

{{- define "tenuto.labels" -}}
{{ include "tenuto.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end -}}

{{- define "tenuto.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}

{{- define "tenuto.secret" -}}
{{ .Values.cassandra.existingSecret | default (printf "%s-cassandra" (include "tenuto.name" .)) }}
{{- end -}}

{{/* The settings of all services; `settings` of the values come over what is here. */}}
{{- define "tenuto.settings" -}}
{{- $own := dict
  "public" (dict "address" "0.0.0.0:7833")
  "internal" (dict "host" "0.0.0.0" "port" 7934)
  "http" "0.0.0.0:8088"
  "worker_host" (dict "frontend" (printf "%s-frontend:7833" (include "tenuto.name" .)))
  "logs" (dict "form" "json")
  "dynamic_settings" "/etc/tenuto-dynamic/dynamic.yaml" -}}
{{- mustMergeOverwrite $own (deepCopy .Values.settings) | toYaml -}}
{{- end -}}

{{/* What of a pod all services and the schema's Job have in common. */}}
{{- define "tenuto.pod" -}}
serviceAccountName: {{ include "tenuto.name" . }}
automountServiceAccountToken: false
# Kubernetes would set variables named TENUTO_..., which are settings.
enableServiceLinks: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "tenuto.container.security" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{- define "tenuto.env" -}}
- name: TENUTO_STORE
  valueFrom: {configMapKeyRef: {name: {{ include "tenuto.name" . }}-config, key: store}}
- name: TENUTO_CASSANDRA_USER
  valueFrom: {secretKeyRef: {name: {{ include "tenuto.secret" . }}, key: user}}
- name: TENUTO_CASSANDRA_PASSWORD
  valueFrom: {secretKeyRef: {name: {{ include "tenuto.secret" . }}, key: password}}
{{- end -}}

{{/* A service's pod template. Called with a dict: root, component, values (of the component), env (more of it). */}}
{{- define "tenuto.service.pod" -}}
{{- $root := .root -}}
metadata:
  labels: {{ include "tenuto.labels" . | nindent 4 }}
  annotations:
    checksum/config: {{ include "tenuto.config" $root | sha256sum }}
    prometheus.io/scrape: "true"
    prometheus.io/port: "8088"
    prometheus.io/path: /metrics
    {{- with .values.podAnnotations }}{{ toYaml . | nindent 4 }}{{ end }}
spec:
  {{- include "tenuto.pod" $root | nindent 2 }}
  terminationGracePeriodSeconds: {{ .values.terminationGracePeriodSeconds }}
  {{- with .values.nodeSelector }}
  nodeSelector: {{ toYaml . | nindent 4 }}
  {{- end }}
  {{- with .values.tolerations }}
  tolerations: {{ toYaml . | nindent 4 }}
  {{- end }}
  topologySpreadConstraints:
    {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
    - topologyKey: {{ . }}
      maxSkew: 1
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels: {{ include "tenuto.selector" $ | nindent 10 }}
    {{- end }}
  containers:
    - name: {{ .component }}
      image: {{ include "tenuto.image" $root }}
      imagePullPolicy: {{ $root.Values.image.pullPolicy }}
      args: [{{ .component }}]
      env:
        {{- include "tenuto.env" $root | nindent 8 }}
        - name: TENUTO_CONFIG
          value: /etc/tenuto/tenuto.yaml
        - name: TENUTO_INTERNAL__ADVERTISE
          valueFrom: {fieldRef: {fieldPath: status.podIP}}
        {{- with .env }}{{ toYaml . | nindent 8 }}{{ end }}
        {{- with .values.env }}{{ toYaml . | nindent 8 }}{{ end }}
      ports:
        {{- if eq .component "frontend" }}
        - {name: grpc, containerPort: 7833}
        {{- end }}
        {{- if has .component (list "history" "matching") }}
        - {name: internal, containerPort: 7934}
        {{- end }}
        - {name: ops, containerPort: 8088}
      startupProbe:
        httpGet: {path: /healthz, port: ops}
        periodSeconds: 2
        failureThreshold: 60
      livenessProbe:
        httpGet: {path: /healthz, port: ops}
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 3
      readinessProbe:
        httpGet: {path: /readyz, port: ops}
        periodSeconds: 2
        timeoutSeconds: 2
        failureThreshold: 2
      resources: {{ toYaml .values.resources | nindent 8 }}
      securityContext: {{ include "tenuto.container.security" $root | nindent 8 }}
      volumeMounts:
        - {name: config, mountPath: /etc/tenuto, readOnly: true}
        - {name: dynamic, mountPath: /etc/tenuto-dynamic, readOnly: true}
        - {name: cassandra-tls, mountPath: /etc/tenuto-tls, readOnly: true}
        - {name: tmp, mountPath: /tmp}
  volumes:
    - name: config
      configMap: {name: {{ include "tenuto.name" $root }}-config}
    - name: dynamic
      configMap: {name: {{ include "tenuto.name" $root }}-dynamic}
    - name: cassandra-tls
      secret: {secretName: {{ $root.Values.cassandra.tlsSecret }}, optional: true}
    - name: tmp
      emptyDir: {sizeLimit: 256Mi}
{{- end -}}

{{/* What a change of restarts the services. */}}
{{- define "tenuto.config" -}}
store: {{ .Values.cassandra.store | quote }}
tenuto.yaml: |
  {{- include "tenuto.settings" . | nindent 2 }}
{{- end -}}
