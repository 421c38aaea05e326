// Engine, layout 093a18d05cb38987: made by shmkit, and not to be edited.

#[allow(dead_code, non_camel_case_types, non_snake_case, non_upper_case_globals)]
#[repr(C)]
pub struct Engine {
  pub model: [u8; 16],
  pub throttle: core::sync::atomic::AtomicU32,
  pub rpm: f64,
  pub celsius: f32,
  pub state: u8,
  pub ticks: core::sync::atomic::AtomicU64,
}
#[allow(dead_code, non_camel_case_types, non_snake_case, non_upper_case_globals)]
pub const Engine_state_cold: u8 = 0;
#[allow(dead_code, non_camel_case_types, non_snake_case, non_upper_case_globals)]
pub const Engine_state_warm: u8 = 1;
#[allow(dead_code, non_camel_case_types, non_snake_case, non_upper_case_globals)]
pub const Engine_state_hot: u8 = 2;
const _: () = {
  assert!(core::mem::size_of::<Engine>() == 48);
  assert!(core::mem::align_of::<Engine>() == 8);
  assert!(core::mem::offset_of!(Engine, model) == 0);
  assert!(core::mem::offset_of!(Engine, throttle) == 16);
  assert!(core::mem::offset_of!(Engine, rpm) == 24);
  assert!(core::mem::offset_of!(Engine, celsius) == 32);
  assert!(core::mem::offset_of!(Engine, state) == 36);
  assert!(core::mem::offset_of!(Engine, ticks) == 40);
};
