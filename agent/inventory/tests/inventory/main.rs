//! The inventory's readers over real files, compared with the real tools.
//!
//! They need the Debian packages `dpkg`, `gzip`, `flatpak`, `rpm`, `pacman-package-manager` and `squashfs-tools`. What is missing fails its test and is named.

#[cfg(test)]
mod common;
#[cfg(test)]
mod desktop;
#[cfg(test)]
mod dpkg;
#[cfg(test)]
mod flatpak;
#[cfg(test)]
mod homes;
#[cfg(test)]
mod lister;
#[cfg(test)]
mod pacman;
#[cfg(test)]
mod places;
#[cfg(test)]
mod rpm;
#[cfg(test)]
mod trees;
