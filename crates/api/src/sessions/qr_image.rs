use image::{GrayImage, ImageFormat, Luma};
use qrcode::{Color, QrCode, render::svg, types::QrError};

/// Pixels of one module's side.
const SCALE: u32 = 8;
/// Modules of white around the code, without which phones do not find it.
const QUIET: u32 = 4;

/// A text that does not fit into a QR code, or a picture that cannot be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TooLong {
    #[error("the QR code's text does not fit")]
    Code(#[from] QrError),
    #[error("the QR code's picture cannot be written")]
    Picture(#[from] image::ImageError),
}

/// The code as a PNG, black on white.
pub(crate) fn png(text: &str) -> Result<Vec<u8>, TooLong> {
    let code = QrCode::new(text)?;
    let width = u32::try_from(code.width()).unwrap_or(0);
    let colors = code.to_colors();
    let side = (width + 2 * QUIET) * SCALE;
    let picture = GrayImage::from_fn(side, side, |x, y| {
        let module = |pixel: u32| (pixel / SCALE).checked_sub(QUIET).filter(|at| *at < width);
        let dark = module(x)
            .zip(module(y))
            .is_some_and(|(x, y)| colors.get((y * width + x) as usize) == Some(&Color::Dark));
        Luma([if dark { 0 } else { 255 }])
    });
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png)?;
    Ok(bytes.into_inner())
}

/// The code as an SVG.
pub(crate) fn svg(text: &str) -> Result<String, TooLong> {
    Ok(QrCode::new(text)?
        .render::<svg::Color<'_>>()
        .min_dimensions(256, 256)
        .build())
}
