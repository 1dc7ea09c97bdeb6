---
apiVersion: v1alpha1
kind: LinkAliasConfig
name: uplink0
selector:
  match: >-
    mac(size(link.permanent_addr) > 0 ? link.permanent_addr : link.hardware_addr) == {{ .Node.Data.macAddr | quote }}
---
apiVersion: v1alpha1
kind: BondConfig
name: bond0
links:
  - uplink0
bondMode: active-backup
miimon: 100
mtu: {{ .Node.Data.mtu }}
addresses:
  - address: {{ .Node.IP }}/24
routes:
  - gateway: 10.30.0.1
