"""A config drive as OpenStack's compute makes it: an ISO 9660 file system called config-2."""
import json
import pathlib
import subprocess


def meta_data(folder, files, more):
    """files: {path in the machine: text}; they lie beside, under numbers."""
    content = folder / "openstack" / "content"
    content.mkdir(parents=True)
    listed = []
    for number, (path, text) in enumerate(files.items()):
        (content / f"{number:04d}").write_text(text)
        listed.append({"content_path": f"/content/{number:04d}", "path": path})
    return {**more, "files": listed}


def user_data(files):
    """The same files, as Octavia's user_data_config_drive has them."""
    writes = [{"path": path, "content": text, "owner": "root:root", "permissions": "0600"}
              for path, text in files.items()]
    return "#cloud-config\n" + json.dumps({"write_files": writes}) + "\n"


def make(iso, form, files, name, uuid, ssh_key):
    """form: "files" or "user_data"."""
    folder = pathlib.Path(f"{iso}.d")
    latest = folder / "openstack" / "latest"
    latest.mkdir(parents=True)
    about = {"uuid": uuid, "name": name, "hostname": name, "launch_index": 0, "availability_zone": "nova",
             "public_keys": {"octavia": ssh_key}}
    meta = meta_data(folder, files if form == "files" else {}, about)
    (latest / "meta_data.json").write_text(json.dumps(meta))
    # The operator's, not Octavia's: the test looks into the machine as root.
    (latest / "vendor_data.json").write_text(json.dumps({"cloud-init": "#cloud-config\ndisable_root: false\n"}))
    if form == "user_data":
        (latest / "user_data").write_text(user_data(files))
    subprocess.run(("genisoimage", "-quiet", "-V", "config-2", "-J", "-r", "-o", str(iso), str(folder)), check=True)
