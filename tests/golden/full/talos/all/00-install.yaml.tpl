---
# A path names the disk; anything else is its serial number, which stays the same when the kernel finds disks in
# another order.
machine:
  install:
    {{- if hasPrefix "/" .Node.Data.disk }}
    disk: {{ .Node.Data.disk | quote }}
    {{- else }}
    diskSelector:
      serial: {{ .Node.Data.disk | quote }}
    {{- end }}
