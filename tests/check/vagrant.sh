#!/bin/bash
# The Vagrantfile is Ruby that vagrant takes for both of its providers. No network is needed.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib/common.sh"
VAGRANT_HOME=$(temporary_folder vagrant)
trap 'rm -rf "$VAGRANT_HOME"' EXIT
export VAGRANT_HOME VAGRANT_CHECKPOINT_DISABLE=1 VAGRANT_CWD=$TOP/vagrant VAGRANT_DOTFILE_PATH=$VAGRANT_HOME/dot
# The package need not have been built.
export DEB=$VAGRANT_HOME/amphora-xdp.deb
: >"$DEB"
ruby -c "$TOP/vagrant/Vagrantfile" >/dev/null
VAGRANT_DEFAULT_PROVIDER=libvirt vagrant validate
# VirtualBox is not Debian's: all but its own settings.
VAGRANT_DEFAULT_PROVIDER=virtualbox vagrant validate --ignore-provider
