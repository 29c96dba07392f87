# The package that packaging/build-deb has made.
export DIB_AMPHORA_XDP_DEB=${DIB_AMPHORA_XDP_DEB:-}
