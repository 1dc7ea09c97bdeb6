# The virtual machines of this cluster. Run it with `just tofu`, which hands over the credentials in memory.
terraform {
  required_version = ">= 1.10"

  required_providers {
    proxmox = {
      source  = "bpg/proxmox"
      version = "~> 0.90"
    }
  }

  backend "s3" {
    bucket       = "full-backup"
    key          = "tofu/terraform.tfstate"
    region       = "us-east-1"
    use_lockfile = true

    endpoints = {
      s3 = "https://s3.example.org"
    }
    # Not Amazon's: what only Amazon has is not asked for.
    skip_credentials_validation = true
    skip_metadata_api_check     = true
    skip_region_validation      = true
    skip_requesting_account_id  = true
    skip_s3_checksum            = true
    use_path_style              = true
  }

  # State and plans hold credentials: neither is ever written in plain text.
  encryption {
    key_provider "pbkdf2" "passphrase" {
      passphrase = var.state_passphrase
    }

    method "aes_gcm" "default" {
      keys = key_provider.pbkdf2.passphrase
    }

    state {
      method   = method.aes_gcm.default
      enforced = true
    }

    plan {
      method   = method.aes_gcm.default
      enforced = true
    }
  }
}

variable "state_passphrase" {
  description = "What the state is encrypted with."
  type        = string
  sensitive   = true
}

provider "proxmox" {
  endpoint = "https://pve.example.net:8006/"
  insecure = false
}
