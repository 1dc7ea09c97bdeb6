{{- if .Node.Data.kernelModules }}
---
machine:
  kernel:
    modules:
      {{- range .Node.Data.kernelModules }}
      - name: {{ . | quote }}
      {{- end }}
{{- end }}
