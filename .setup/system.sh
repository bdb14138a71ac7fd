#!/bin/sh
# Installs what jellytui needs of the system: libmpv for sound, and Python's venv module.
# Says what it is about to do; without the right to install it says what to install, and never fails for want of sound.
set -u
python=${1:-python3}

has_libmpv() {
    PATH="$PATH:/sbin:/usr/sbin" ldconfig -p 2>/dev/null | grep -q 'libmpv\.so\.[12]' && return 0
    for file in /opt/homebrew/lib/libmpv*.dylib /usr/local/lib/libmpv*.dylib /usr/lib/libmpv.so.[12]; do
        [ -e "$file" ] && return 0
    done
    return 1
}

has_venv() { "$python" -c 'import venv, ensurepip' 2>/dev/null; }

manager() {
    for name in apt-get dnf pacman brew apk; do
        command -v "$name" >/dev/null 2>&1 && echo "$name" && return
    done
}

is_known() { apt-cache show "$1" >/dev/null 2>&1; }

packages_for() {
    case "$1" in
        apt-get)
            has_libmpv || { is_known libmpv1 && ! is_known libmpv2 && echo libmpv1 || echo libmpv2; }
            has_venv || echo python3-venv ;;
        dnf) has_libmpv || echo mpv-libs ;;
        pacman | brew) has_libmpv || echo mpv ;;
        apk) has_libmpv || echo mpv-libs ;;
    esac
}

install_command() {
    case "$1" in
        apt-get) echo "apt-get install -y --no-install-recommends" ;;
        dnf) echo "dnf install -y" ;;
        pacman) echo "pacman -S --needed --noconfirm" ;;
        brew) echo "brew install" ;;
        apk) echo "apk add" ;;
    esac
}

if has_libmpv && has_venv; then
    exit 0
fi
manager=$(manager)
as_root=""
if [ "$manager" != brew ] && [ "$(id -u)" -ne 0 ]; then
    as_root="sudo "
fi
may_ask() {
    [ -t 0 ] || return 1
    echo "==> jellytui needs a few packages of the system; sudo asks for your password to install them."
    sudo true
}

may_install=yes
if [ -z "$manager" ]; then
    may_install=no
elif [ -n "$as_root" ]; then
    # The password is asked for once, here: who may not use sudo is told below what an administrator has to do.
    { command -v sudo >/dev/null 2>&1 && { sudo -n true 2>/dev/null || may_ask; }; } || may_install=no
fi
if [ "$may_install" = yes ] && [ "$manager" = apt-get ]; then
    echo "==> ${as_root}apt-get update"
    ${as_root}apt-get update -qq || echo "The package lists could not be refreshed; going on with those that are here."
fi
packages=$([ -n "$manager" ] && packages_for "$manager" | tr '\n' ' ')
if [ -n "${packages% }" ]; then
    command="$(install_command "$manager") $packages"
    if [ "$may_install" = yes ]; then
        echo "==> $as_root$command"
        ${as_root}env DEBIAN_FRONTEND=noninteractive $command >/dev/null || echo "That did not work: $packages"
    else
        echo "jellytui needs: $packages"
        echo "Install it as an administrator: $command"
    fi
fi
has_libmpv || echo "No libmpv: jellytui opens, browses and downloads, but stays silent (jellytui doctor says more)."
if ! has_venv; then
    echo "Python's venv module is missing, so nothing can be set up. Install it (Debian: python3-venv), then run make again."
    exit 1
fi
