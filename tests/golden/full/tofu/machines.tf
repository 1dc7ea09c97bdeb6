locals {
  talos_version = "v1.13.7"

  nodes = {
    "controller-1" = {
      host      = "pve-1"
      mac       = "02:00:00:00:03:11"
      schematic = "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba"
      uefi      = false
    }
    "controller-2" = {
      host      = "pve-2"
      mac       = "02:00:00:00:03:12"
      schematic = "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba"
      uefi      = false
    }
    "controller-3" = {
      host      = "pve-1"
      mac       = "02:00:00:00:03:13"
      schematic = "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba"
      uefi      = false
    }
    "worker-1" = {
      host      = "pve-2"
      mac       = "02:00:00:00:03:14"
      schematic = "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba"
      uefi      = false
    }
    "worker-2" = {
      host      = "pve-1"
      mac       = "02:00:00:00:03:15"
      schematic = "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba"
      uefi      = false
    }
  }

  # Each host downloads each image that its machines boot from, once.
  images = {
    for node in distinct([for node in local.nodes : { host = node.host, schematic = node.schematic }]) :
    "${node.host}-${substr(node.schematic, 0, 8)}" => node
  }
}

resource "proxmox_virtual_environment_download_file" "talos" {
  for_each = local.images

  content_type = "iso"
  datastore_id = "local"
  file_name    = "talos-${local.talos_version}-${substr(each.value.schematic, 0, 8)}.iso"
  node_name    = each.value.host
  url          = "https://factory.talos.dev/image/${each.value.schematic}/${local.talos_version}/metal-amd64.iso"
}

resource "proxmox_virtual_environment_vm" "node" {
  for_each = local.nodes

  name          = each.key
  node_name     = each.value.host
  machine       = "q35"
  bios          = each.value.uefi ? "ovmf" : "seabios"
  boot_order    = ["scsi0", "ide3"]
  on_boot       = true
  scsi_hardware = "virtio-scsi-single"
  tags          = ["talos"]

  cpu {
    cores = 4
    type  = "host"
  }

  memory {
    dedicated = 8192
  }

  dynamic "efi_disk" {
    for_each = each.value.uefi ? [true] : []
    content {
      datastore_id      = "local-lvm"
      pre_enrolled_keys = false
      type              = "4m"
    }
  }

  disk {
    datastore_id = "local-lvm"
    discard      = "on"
    interface    = "scsi0"
    iothread     = true
    size         = 64
    ssd          = true
  }

  cdrom {
    file_id   = proxmox_virtual_environment_download_file.talos["${each.value.host}-${substr(each.value.schematic, 0, 8)}"].id
    interface = "ide3"
  }

  # By its MAC address a machine gets its name and configuration.
  network_device {
    bridge      = "vmbr0"
    mac_address = each.value.mac
  }

  operating_system {
    type = "l26"
  }

  lifecycle {
    # Talos upgrades itself: a newer image is for machines to come.
    ignore_changes = [cdrom]
  }
}
