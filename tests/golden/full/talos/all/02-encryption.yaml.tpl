{{- if .Node.Data.encryptDisk }}
---
# The keys live in the machine's TPM: a disk that leaves the machine cannot be read. Talos encrypts on installation
# only; a node that already runs has to be reset first.
apiVersion: v1alpha1
kind: VolumeConfig
name: STATE
encryption:
  provider: luks2
  keys:
    - slot: 0
      tpm: {}
---
apiVersion: v1alpha1
kind: VolumeConfig
name: EPHEMERAL
encryption:
  provider: luks2
  keys:
    - slot: 0
      tpm: {}
{{- end }}
